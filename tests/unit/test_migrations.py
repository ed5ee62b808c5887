"""A version migrates once, before any of its pods serves, however its pods came to be."""

from __future__ import annotations

import copy
import threading
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from components import wiring
from components.argocd.application_manifests import project_spec
from components.migrations import gate
from settings import pulumi_config
from settings.loading import load_files
from tests.unit.conftest import CHECKOUT, Bend, change_service
from tests.unit.whole_program import record_program

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
IMAGE = "registry.example/shop/accounts"
ENVIRON = {
    "NAMESPACE": "shop",
    "SERVICE": "accounts",
    "POD": "accounts-1",
    "COMMAND": '["python", "manage.py", "migrate"]',
    "MINUTES": "10",
}
JOBS = "/apis/batch/v1/namespaces/shop/jobs"
DONE = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
FAILED = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}


def pod(image: str, shown: str = "") -> dict[str, Any]:
    """A pod of the service; shown: what the container before has told of the image."""
    statuses = [{"name": "image", "imageID": f"{IMAGE}@{shown}"}] if shown else []
    return {
        "spec": {
            "serviceAccountName": "accounts",
            "securityContext": {"runAsNonRoot": True},
            "containers": [
                {"name": "sidecar", "image": "docker.io/acme/proxy:1"},
                {
                    "name": "accounts",
                    "image": image,
                    "command": ["serve"],
                    "env": [{"name": "DATABASE", "value": "db"}],
                    "ports": [{"containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
                    "volumeMounts": [{"name": "tmp", "mountPath": "/scratch"}],
                },
            ],
            "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "migrate-account"}],
        },
        "status": {"initContainerStatuses": statuses},
    }


class Cluster:
    """The Kubernetes API as far as a gate asks it; `outcome` is what becomes of a new Job."""

    def __init__(self, own: dict[str, Any], outcome: dict[str, Any] = DONE) -> None:
        self.own, self.outcome = own, outcome
        self.jobs: dict[str, dict[str, Any]] = {}
        self.made: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.lock = threading.Lock()

    def call(self, method: str, path: str, body: gate.Object | None) -> gate.Object | None:
        with self.lock:
            if method == "POST":
                assert path == JOBS
                return self.create(body or {})
            if method == "DELETE":
                name, _, how = path.removeprefix(f"{JOBS}/").partition("?")
                assert (how, body) == ("propagationPolicy=Background", None)
                self.deleted.append(name)
                return {}
            assert method == "GET"
            assert body is None
            if path.startswith(f"{JOBS}?"):
                assert path == (f"{JOBS}?labelSelector=app.kubernetes.io%2Fname%3Daccounts-migrate")
                return {"items": list(self.jobs.values())}
            if path.startswith(JOBS):
                return self.jobs.get(path.removeprefix(f"{JOBS}/"))
            assert path == "/api/v1/namespaces/shop/pods/accounts-1"
            return self.own

    def create(self, job: dict[str, Any]) -> dict[str, Any] | None:
        if job["metadata"]["name"] in self.jobs:
            return None
        self.made.append(copy.deepcopy(job))
        self.ended(job["metadata"]["name"], self.outcome, seconds=len(self.made))
        return job

    def ended(self, name: str, outcome: dict[str, Any], seconds: int = 0) -> None:
        created = f"2025-11-26T00:{seconds // 60:02}:{seconds % 60:02}Z"
        self.jobs[name] = {"metadata": {"name": name, "creationTimestamp": created}, **outcome}


def run(cluster: Cluster) -> int:
    return gate.main(ENVIRON, cluster.call, pause=0.001)


def test_the_first_pod_makes_the_job_of_its_own_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster(pod(f"{IMAGE}:v20251126-abcdef1@{NEW}"))
    assert run(cluster) == 0
    assert capsys.readouterr().out == (
        "accounts-migrate-bbbbbbbbbb: migrating\naccounts-migrate-bbbbbbbbbb: done\n"
    )
    (job,) = cluster.made
    assert job["metadata"] == {
        "name": "accounts-migrate-bbbbbbbbbb",
        "labels": {"app.kubernetes.io/name": "accounts-migrate"},
    }
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] == 600
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job["spec"]["template"]["metadata"] == {
        "labels": {"app.kubernetes.io/name": "accounts-migrate"}
    }
    assert job["spec"]["template"]["spec"] == {
        "securityContext": {"runAsNonRoot": True},
        "restartPolicy": "Never",
        "serviceAccountName": "accounts",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [
            {
                "env": [{"name": "DATABASE", "value": "db"}],
                "name": "accounts",
                "image": f"{IMAGE}@{NEW}",
                "command": ["python", "manage.py", "migrate"],
                "volumeMounts": [{"name": "tmp", "mountPath": "/scratch"}],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def test_the_job_is_placed_and_sized_as_the_pod() -> None:
    own = pod(f"{IMAGE}@{NEW}")
    placed = {
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"pool": "general"},
        "tolerations": [{"key": "pool"}],
    }
    own["spec"].update(placed, hostNetwork=True)
    sized = {
        "envFrom": [{"secretRef": {"name": "accounts"}}],
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {"readOnlyRootFilesystem": True},
    }
    own["spec"]["containers"][1].update(sized)
    wanted = gate.wanted(own, "accounts-migrate-1", {**ENVIRON, "MINUTES": "2"})
    assert wanted["spec"]["activeDeadlineSeconds"] == 120
    assert wanted["spec"]["template"]["spec"] == {
        **placed,
        "securityContext": {"runAsNonRoot": True},
        "restartPolicy": "Never",
        "serviceAccountName": "accounts",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [
            {
                **sized,
                "env": [{"name": "DATABASE", "value": "db"}],
                "name": "accounts",
                "image": f"{IMAGE}@{NEW}",
                "command": ["python", "manage.py", "migrate"],
                "volumeMounts": [{"name": "tmp", "mountPath": "/scratch"}],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def test_a_container_that_mounts_nothing_gets_no_volumes() -> None:
    own = pod(f"{IMAGE}@{NEW}")
    del own["spec"]["containers"][1]["volumeMounts"]
    spec = gate.wanted(own, "accounts-migrate-1", ENVIRON)["spec"]["template"]["spec"]
    assert (spec["volumes"], spec["containers"][0]["volumeMounts"]) == ([], [])
    del own["spec"]["volumes"]
    assert gate.wanted(own, "accounts-migrate-1", ENVIRON)["spec"]["template"]["spec"] == spec


def test_only_the_container_that_shows_the_image_is_believed() -> None:
    own = pod(f"{IMAGE}:dev", shown=NEW)
    own["status"]["initContainerStatuses"].insert(0, {"name": "wait", "imageID": f"x@{OLD}"})
    assert gate.digest(own, "accounts") == NEW
    own["status"]["initContainerStatuses"].insert(1, {"name": "image"})
    assert gate.digest(own, "accounts") == NEW


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (pod(f"{IMAGE}:dev"), f"the digest of {IMAGE}:dev is not known yet"),
        ({**pod(f"{IMAGE}:dev"), "status": {}}, f"the digest of {IMAGE}:dev is not known yet"),
        (
            {"spec": pod(f"{NEW}:dev")["spec"]},
            f"the digest of {NEW}:dev is not known yet",
        ),
        ({}, "the pod has no container accounts"),
        ({"spec": {"containers": [{"name": "proxy"}]}}, "the pod has no container accounts"),
    ],
)
def test_a_pod_that_does_not_tell_what_it_runs_says_so(own: gate.Object, why: str) -> None:
    with pytest.raises(gate.Unclear) as refused:
        gate.digest(own, "accounts")
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("conditions", "ended"),
    [
        ([], ""),
        ([{"type": "Complete", "status": "False"}], ""),
        ([{"type": "Suspended", "status": "True"}], ""),
        (
            [
                {"type": "SuccessCriteriaMet", "status": "True"},
                {"type": "Complete", "status": "True"},
            ],
            "Complete",
        ),
        (
            [{"type": "FailureTarget", "status": "True"}, {"type": "Failed", "status": "True"}],
            "Failed",
        ),
    ],
)
def test_a_job_has_ended_where_kubernetes_says_so(
    conditions: list[dict[str, str]], ended: str
) -> None:
    assert gate.outcome({"status": {"conditions": conditions}}) == ended
    assert gate.outcome({"status": {}}) == gate.outcome({}) == ""


def test_behind_a_moving_tag_the_digest_is_that_of_what_has_run() -> None:
    cluster = Cluster(pod(f"{IMAGE}:dev", shown=NEW))
    assert run(cluster) == 0
    (job,) = cluster.made
    assert job["metadata"]["name"] == "accounts-migrate-bbbbbbbbbb"
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == f"{IMAGE}@{NEW}"


def test_a_registry_with_a_port_keeps_it() -> None:
    cluster = Cluster(pod(f"127.0.0.1:5000/shop/accounts:dev@{NEW}"))
    run(cluster)
    container = cluster.made[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"127.0.0.1:5000/shop/accounts@{NEW}"


def test_nothing_starts_while_the_digest_is_unknown() -> None:
    cluster = Cluster(pod(f"{IMAGE}:dev"))
    with pytest.raises(gate.Unclear, match="is not known yet"):
        run(cluster)
    assert cluster.made == []


def test_many_pods_make_one_job() -> None:
    cluster = Cluster(pod(f"{IMAGE}:dev", shown=NEW), outcome={})
    codes: list[int] = []
    pods = [threading.Thread(target=lambda: codes.append(run(cluster))) for _ in range(8)]
    for one in pods:
        one.start()
    with cluster.lock:
        cluster.outcome = DONE
        cluster.ended("accounts-migrate-bbbbbbbbbb", DONE)
    for one in pods:
        one.join(timeout=10)
    assert codes == [0] * 8
    assert len(cluster.made) <= 1


def test_a_version_that_has_migrated_does_so_no_more() -> None:
    """A restart, another process, a change of configuration, or a rollback."""
    cluster = Cluster(pod(f"{IMAGE}:v20251125-abcdef1@{OLD}"))
    cluster.ended("accounts-migrate-aaaaaaaaaa", DONE, seconds=1)
    cluster.ended("accounts-migrate-bbbbbbbbbb", DONE, seconds=2)
    assert run(cluster) == 0
    assert cluster.made == []


def test_a_failure_keeps_the_version_from_starting_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster(pod(f"{IMAGE}:dev", shown=NEW), outcome=FAILED)
    assert run(cluster) == 1
    assert run(cluster) == 1
    assert len(cluster.made) == 1
    failed = (
        "accounts-migrate-bbbbbbbbbb: FAILED, so this version does not start; the one before goes "
        "on. What it said: kubectl --namespace shop logs job/accounts-migrate-bbbbbbbbbb. Mend it "
        "with a new version, or try this one again: kubectl --namespace shop delete job "
        "accounts-migrate-bbbbbbbbbb\n"
    )
    assert capsys.readouterr().out == (f"accounts-migrate-bbbbbbbbbb: migrating\n{failed}{failed}")


@pytest.mark.parametrize(
    ("outcome", "lines"), [(DONE, [b"migrating", b"done"]), (FAILED, [b"migrating", b"FAILED, so"])]
)
def test_the_log_of_a_pod_has_each_line_at_once(
    outcome: dict[str, Any], lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, cluster = BytesIO(), Cluster(pod(f"{IMAGE}:v2@{NEW}"), outcome)
    seen: list[list[bytes]] = []

    def call(method: str, path: str, body: gate.Object | None) -> gate.Object | None:
        seen.append([line.split(b": ")[1][:10] for line in log.getvalue().splitlines()])
        return cluster.call(method, path, body)

    monkeypatch.setattr("sys.stdout", TextIOWrapper(log))
    gate.main(ENVIRON, call, pause=0.001)
    assert [b"migrating"] in seen, "the line is there while the Job is made"
    assert [line.split(b": ")[1][:10] for line in log.getvalue().splitlines()] == lines


def test_an_api_that_lists_nothing_leaves_nothing_to_forget() -> None:
    asked: list[str] = []

    def call(method: str, _path: str, _body: gate.Object | None) -> None:
        asked.append(method)

    gate.forget(call, JOBS, "accounts", "accounts-migrate-1")
    assert asked == ["GET"]


def test_a_job_that_somebody_deleted_is_made_again() -> None:
    cluster = Cluster(pod(f"{IMAGE}:dev", shown=NEW), outcome=FAILED)
    assert run(cluster) == 1
    cluster.jobs.clear()
    cluster.outcome = DONE
    assert run(cluster) == 0
    assert len(cluster.made) == 2


def test_the_last_fifty_versions_are_remembered() -> None:
    cluster = Cluster(pod(f"{IMAGE}:dev", shown=NEW))
    for number in range(60):
        cluster.ended(f"old-{number:02}", DONE, seconds=number)
    cluster.ended("running", {}, seconds=0)
    cluster.ended("accounts-migrate-bbbbbbbbbb", DONE, seconds=5)  # taken back to
    assert run(cluster) == 0
    assert "running" not in cluster.deleted
    assert "accounts-migrate-bbbbbbbbbb" not in cluster.deleted
    assert sorted(cluster.deleted) == [f"old-{number:02}" for number in range(10)]


# How the cluster is asked


def test_only_services_that_migrate_get_the_right_to_make_jobs(
    configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi_config, "ROOT", configuration)
    change_service(bend, "streaming", "tv-api", migrate=["bin/migrate"])
    made = record_program("prod", configuration, CHECKOUT / "__main__.py")
    assert made.one("twospeed:index:Migrations").name == "apps-streaming-migrations"
    role = made.one("kubernetes:rbac.authorization.k8s.io/v1:Role")
    assert role.inputs["metadata"] == {"name": "tv-api-migrate", "namespace": "streaming"}
    assert role.inputs["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
        {
            "apiGroups": ["batch"],
            "resources": ["jobs"],
            "verbs": ["create", "delete", "get", "list"],
        },
    ]
    binding = made.one(
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        "apps-streaming-migrations-tv-api-binding",
    )
    assert binding.inputs["subjects"] == [
        {"kind": "ServiceAccount", "name": "tv-api", "namespace": "streaming"}
    ]
    program = made.one("kubernetes:core/v1:ConfigMap", "apps-streaming-migrations-gate")
    assert program.inputs["data"]["gate.py"].startswith('"""What runs first in every pod')
    application = made.one("kubernetes:argoproj.io/v1alpha1:Application", "apps-tv-api")
    assert made.waits_for(application, binding)


def test_what_the_platform_and_migrations_leave_is_no_orphan(
    configuration: Path, bend: Bend
) -> None:
    change_service(bend, "streaming", "tv-api", migrate=["bin/migrate"])
    settings = load_files("prod", configuration)
    target = wiring.applications_target(settings)
    orphans = {
        namespace: project_spec(target, namespace, group)["orphanedResources"]
        for namespace, group in settings.living.namespaces.items()
    }
    callers = {"group": "networking.k8s.io", "kind": "NetworkPolicy", "name": "platform-*"}
    assert orphans == {
        "community": {"warn": True, "ignore": [callers]},
        "streaming": {
            "warn": True,
            "ignore": [
                callers,
                {"group": "", "kind": "ConfigMap", "name": "migration-gate"},
                {"group": "batch", "kind": "Job", "name": "*-migrate-*"},
            ],
        },
    }
