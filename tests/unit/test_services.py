"""What a service of the catalogue becomes in Kubernetes, for each kind that docs/services.md shows.

After an intended change: pytest tests/unit/test_services.py --regenerate
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import wiring
from components.argocd.application_manifests import project_spec
from gitops.tree import scaffold
from settings.catalogue import BuiltService
from settings.environment import Settings
from settings.loading import load_files
from settings.placement import Placement, placement
from settings.speed import SPEEDS, Resources
from tests.unit.conftest import CHECKOUT, Bend, change_service, copied

GUIDE = CHECKOUT / "docs" / "services.md"
GOLDEN = CHECKOUT / "tests" / "golden" / "services"
OURS = ("base/", "environments/")


def examples() -> dict[str, Any]:
    """The services of all examples in the guide, by name."""
    found: dict[str, Any] = {}
    for block in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        found |= yaml.safe_load(block)
    return found


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    """Both stacks with the services of the guide and no others."""
    root = copied(tmp_path_factory.mktemp("guide"))
    catalogue = yaml.safe_load((root / "services.yaml").read_text())
    catalogue["teams"]["shop"] = {"group": "acme:shop"}
    catalogue["namespaces"] = {"shop": {"services": examples()}}
    (root / "services.yaml").write_text(yaml.safe_dump(catalogue))
    for stack in ("dev", "prod"):
        path = root / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text())
        config = content["config"]
        config["platform:permissionsBoundary"] = "arn:aws:iam::123456789012:policy/boundary"
        if stack == "prod":  # Auto Mode has a driver of its own
            config["platform:cluster"]["addons"] = {"aws-ebs-csi-driver": "v1.40.0-eksbuild.1"}
        path.write_text(yaml.safe_dump(content))
    return {stack: load_files(stack, root) for stack in ("dev", "prod")}


@pytest.fixture(scope="module")
def tree(settings: dict[str, Settings]) -> dict[str, str]:
    """What both stacks write, by path."""
    files = {**scaffold(settings["dev"]), **scaffold(settings["prod"])}
    return {path: file.text for path, file in files.items()}


def test_the_guides_services_are_the_golden_ones(tree: dict[str, str], regenerate: bool) -> None:
    ours = {path: text for path, text in tree.items() if path.startswith(OURS)}
    if regenerate:
        shutil.rmtree(GOLDEN, ignore_errors=True)
        for path, text in ours.items():
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_text(text, encoding="utf-8")
    found = {p.relative_to(GOLDEN).as_posix(): p for p in GOLDEN.rglob("*") if p.is_file()}
    assert sorted(found) == sorted(ours), "run with --regenerate if the new set of files is meant"
    for path, text in ours.items():
        assert found[path].read_text(encoding="utf-8") == text, path


def objects(tree: dict[str, str], path: str) -> list[Any]:
    return [content for content in yaml.safe_load_all(tree[path]) if content]


def container(manifest: Any) -> Any:
    spec = manifest["spec"]
    template = (
        spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
    )
    (only,) = template["spec"]["containers"]
    return only


def base(tree: dict[str, str], path: str) -> list[Any]:
    return objects(tree, f"base/shop/{path}")


def overlay(tree: dict[str, str], environment: str, path: str) -> Any:
    (only,) = objects(tree, f"environments/{environment}/shop/{path}")
    return only


# --- ports and checks


def test_without_a_port_there_is_no_service_no_probe_and_no_variable(tree: dict[str, str]) -> None:
    assert "base/shop/mailer/service.yaml" not in tree
    (kustomization,) = base(tree, "mailer/kustomization.yaml")
    assert kustomization["resources"] == ["deployment.yaml", "serviceaccount.yaml"]
    (deployment,) = base(tree, "mailer/deployment.yaml")
    only = container(deployment)
    assert only["command"] == ["python", "-m", "mailer"]
    assert not {"ports", "env", "lifecycle", "readinessProbe", "livenessProbe"} & only.keys()


def test_named_ports_are_given_on_under_their_own_numbers(tree: dict[str, str]) -> None:
    (service,) = base(tree, "catalog/service.yaml")
    assert service["spec"]["ports"] == [{"name": "grpc", "port": 3550, "targetPort": "grpc"}]
    (deployment,) = base(tree, "catalog/deployment.yaml")
    assert container(deployment)["ports"] == [{"name": "grpc", "containerPort": 3550}]


def test_one_check_is_asked_at_the_start_and_ever_after(tree: dict[str, str]) -> None:
    (deployment,) = base(tree, "catalog/deployment.yaml")
    only = container(deployment)
    assert only["startupProbe"] == {
        "grpc": {"port": 3550},
        "periodSeconds": 2,
        "failureThreshold": 30,
    }
    assert only["readinessProbe"]["grpc"] == {"port": 3550}
    assert only["livenessProbe"]["grpc"] == {"port": 3550}


def test_three_checks_may_differ(tree: dict[str, str]) -> None:
    (deployment,) = base(tree, "search/deployment.yaml")
    only = container(deployment)
    assert only["startupProbe"]["exec"] == {"command": ["/app/is-up", "--quiet"]}
    assert only["startupProbe"]["timeoutSeconds"] == 5
    assert only["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}
    assert only["livenessProbe"]["httpGet"] == {"path": "/live", "port": 8081}


# --- processes


def test_a_process_is_a_deployment_of_the_same_image_and_identity(tree: dict[str, str]) -> None:
    (worker,) = base(tree, "orders/processes/worker.yaml")
    (orders,) = base(tree, "orders/deployment.yaml")
    assert worker["metadata"]["name"] == "orders-worker"
    assert container(worker)["image"] == container(orders)["image"]
    assert container(worker)["command"] == ["bin/worker"]
    pod = worker["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "orders"
    assert pod["securityContext"] == orders["spec"]["template"]["spec"]["securityContext"]


def test_the_service_selects_no_pod_of_another_process(tree: dict[str, str]) -> None:
    (service,) = base(tree, "orders/service.yaml")
    worker, *_ = base(tree, "orders/processes/worker.yaml")
    admin, of_admin = base(tree, "orders/processes/admin.yaml")
    selector = service["spec"]["selector"].items()
    for process in (worker, admin):
        assert not selector <= process["spec"]["template"]["metadata"]["labels"].items()
    assert of_admin["kind"] == "Service"
    assert of_admin["spec"]["selector"] == admin["spec"]["selector"]["matchLabels"]
    assert of_admin["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]


def test_a_scheduled_process_is_a_cron_job_with_its_clock(tree: dict[str, str]) -> None:
    (nightly,) = base(tree, "orders/processes/nightly.yaml")
    job = nightly["spec"].pop("jobTemplate")
    assert nightly["kind"] == "CronJob"
    assert nightly["spec"] == {
        "schedule": "0 3 * * *",
        "timeZone": "Europe/Berlin",
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 5,
    }
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["command"] == ["bin/report", "--day", "yesterday"]


def test_every_process_of_a_moving_tag_is_pulled_anew(tree: dict[str, str]) -> None:
    for process in ("worker", "admin", "nightly"):
        patch = overlay(tree, "dev", f"orders/processes/{process}.yaml")
        assert container(patch)["imagePullPolicy"] == "Always"
    for process in ("worker", "admin"):
        annotations = overlay(tree, "dev", f"orders/processes/{process}.yaml")["metadata"][
            "annotations"
        ]
        assert annotations["keel.sh/policy"] == "force"
        assert annotations["keel.sh/monitorContainers"] == "^orders$"


def test_every_workload_is_patched_and_drained_one_by_one(tree: dict[str, str]) -> None:
    kustomization = overlay(tree, "prod", "orders/kustomization.yaml")
    assert [patch["target"] for patch in kustomization["patches"]] == [
        {"kind": "Deployment", "name": "orders"},
        {"kind": "Deployment", "name": "orders-admin"},
        {"kind": "CronJob", "name": "orders-nightly"},
        {"kind": "Deployment", "name": "orders-worker"},
    ]
    budgets = objects(tree, "environments/prod/shop/orders/poddisruptionbudget.yaml")
    assert [b["metadata"]["name"] for b in budgets] == ["orders", "orders-admin", "orders-worker"]


def test_sizes_are_laid_over_those_of_the_speed(tree: dict[str, str]) -> None:
    worker = overlay(tree, "prod", "orders/processes/worker.yaml")
    assert worker["spec"]["replicas"] == 2
    assert container(worker)["resources"] == {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"cpu": "250m", "memory": "1Gi"},
    }


# --- environments


def test_a_service_is_nowhere_but_where_it_lives(
    tree: dict[str, str], settings: dict[str, Settings]
) -> None:
    assert "environments/dev/shop/loadgenerator/deployment.yaml" in tree
    assert not [path for path in tree if "prod/shop/loadgenerator" in path]
    living = [name for _, name, _ in settings["prod"].living.entries()]
    assert "loadgenerator" not in living
    assert "web" in living
    (row,) = [line for line in tree["README.md"].splitlines() if "| [loadgenerator]" in line]
    assert row.endswith("(environments/dev/shop/loadgenerator) | - |")


def test_an_override_changes_one_environment(tree: dict[str, str]) -> None:
    patch = overlay(tree, "dev", "loadgenerator/deployment.yaml")
    assert patch["spec"]["replicas"] == 3
    assert {"name": "USERS", "value": "100"} in container(patch)["env"]
    assert container(patch)["resources"] == {
        "requests": {"cpu": "300m", "memory": "256Mi"},
        "limits": {"memory": "512Mi"},
    }


# --- scale and storage


def test_a_scaled_service_names_no_replicas(tree: dict[str, str]) -> None:
    values = overlay(tree, "prod", "checkout/values.yaml")
    assert values["scale"] == {"min": 2, "max": 10, "cpu": 70}
    assert "replicas" not in values
    fixed = overlay(tree, "dev", "checkout/values.yaml")
    assert fixed["replicas"] == 1
    assert "scale" not in fixed


def test_a_volume_makes_a_stateful_set_with_one_pod(tree: dict[str, str]) -> None:
    (ledger,) = base(tree, "ledger/statefulset.yaml")
    assert ledger["kind"] == "StatefulSet"
    assert ledger["spec"]["serviceName"] == "ledger"
    (claim,) = ledger["spec"]["volumeClaimTemplates"]
    assert claim["metadata"] == {"name": "data"}
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "20Gi"}},
    }
    (of_cache,) = base(tree, "cache/statefulset.yaml")
    (claim,) = of_cache["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "io2"
    mounts = {mount["name"]: mount["mountPath"] for mount in container(ledger)["volumeMounts"]}
    assert mounts["data"] == "/var/lib/data"
    assert overlay(tree, "prod", "ledger/statefulset.yaml")["spec"]["replicas"] == 1


# --- migrations


def first_containers(manifest: Any) -> list[Any]:
    found: list[Any] = manifest["spec"]["template"]["spec"]["initContainers"]
    return found


def test_every_pod_shows_its_image_and_then_waits_for_its_migration(tree: dict[str, str]) -> None:
    for file in ("deployment.yaml", "processes/worker.yaml"):
        (manifest,) = base(tree, f"accounts/{file}")
        tools, image, migrate = first_containers(manifest)
        assert tools["command"] == ["cp", "/bin/busybox", "/tools/true"]
        assert image["command"] == ["/tools/true"]
        assert image["image"] == container(manifest)["image"]
        variables = {one["name"]: one.get("value") for one in migrate["env"]}
        assert variables == {
            "SERVICE": "accounts",
            "COMMAND": '["python", "manage.py", "migrate"]',
            "MINUTES": "10",
            "NAMESPACE": None,
            "POD": None,
        }
        assert manifest["spec"]["progressDeadlineSeconds"] == 900


def test_the_right_to_make_jobs_is_in_one_container_alone(tree: dict[str, str]) -> None:
    (manifest,) = base(tree, "accounts/deployment.yaml")
    pod = manifest["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    with_token = [
        one["name"]
        for one in [*pod["initContainers"], *pod["containers"]]
        if "migrate-account" in [mount["name"] for mount in one["volumeMounts"]]
    ]
    assert with_token == ["migrate"]


def test_what_was_migrated_is_what_serves(tree: dict[str, str]) -> None:
    """The first container of the image pulls the moving tag, the others run what it pulled."""
    patch = overlay(tree, "dev", "accounts/deployment.yaml")
    assert first_containers(patch) == [
        {"name": "tools"},
        {"name": "image", "imagePullPolicy": "Always"},
    ]
    assert "imagePullPolicy" not in container(patch)
    assert "initContainers" not in tree["environments/prod/shop/accounts/deployment.yaml"]


# --- somebody else's image

REDIS = "sha256:bb142a9c18ac18a16713c1491d779697b4e107c22a97266616099d288237ef47"


def test_the_image_of_somebody_else_has_no_pipeline(tree: dict[str, str]) -> None:
    assert not [path for path in tree if path.startswith("pipelines/cache/")]
    (cache,) = base(tree, "cache/statefulset.yaml")
    assert container(cache)["image"] == "docker.io/library/redis"
    assert container(cache)["args"] == ["--save", "60", "1"]


def test_the_fast_environment_runs_the_version_of_the_catalogue(tree: dict[str, str]) -> None:
    on_dev = overlay(tree, "dev", "cache/version/kustomization.yaml")
    assert on_dev["images"] == [
        {"name": "docker.io/library/redis", "newTag": "7.4.1", "digest": REDIS}
    ]
    on_prod = overlay(tree, "prod", "cache/version/kustomization.yaml")
    assert "images" not in on_prod
    assert "keel.sh" not in tree["environments/dev/shop/cache/statefulset.yaml"]


def test_the_scripts_know_whose_image_it_is(tree: dict[str, str]) -> None:
    services = json.loads(tree["scripts/platform.json"])["services"]
    assert services["shop/cache"] == {
        "delivery": "none",
        "packaging": "kustomize",
        "environments": ["dev", "prod"],
        "foreign": "docker.io/library/redis",
        "image": "shop/cache",
        "verify": False,
    }
    assert services["shop/loadgenerator"]["environments"] == ["dev"]


def test_there_is_no_repository_and_no_role_for_it(settings: dict[str, Settings]) -> None:
    catalogue = settings["dev"].catalogue
    assert "cache" in [name for _, name, _ in catalogue.entries()]
    assert "cache" not in [name for _, name, _ in catalogue.built()]
    assert "cache" not in [name for _, name, _ in catalogue.delivered_by("commit")]


# --- kinds


def test_a_namespace_adds_kinds_for_argo_cd_the_scripts_and_people(
    configuration: Path, bend: Bend
) -> None:
    bend(
        "services.yaml",
        lambda catalogue: catalogue["namespaces"]["streaming"].update(
            kinds=["gateway.networking.k8s.io/HTTPRoute"]
        ),
    )
    settings = load_files("prod", configuration)
    added = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}
    target = wiring.applications_target(settings)
    for namespace, group in settings.living.namespaces.items():
        allowed = project_spec(target, namespace, group)["namespaceResourceWhitelist"]
        assert (added in allowed) == (namespace == "streaming")
    files = scaffold(settings)
    kinds = json.loads(files["scripts/platform.json"].text)["kinds"]
    assert "gateway.networking.k8s.io/HTTPRoute" in kinds["streaming"]
    assert "gateway.networking.k8s.io/HTTPRoute" not in kinds["community"]
    told = "In `streaming` also:\n`HTTPRoute` (gateway.networking.k8s.io).\n"
    assert told in files["README.md"].text


# --- builds


def test_a_service_of_a_monorepo_is_built_for_changes_of_its_own(tree: dict[str, str]) -> None:
    text = tree["pipelines/storefront/.github/workflows/release.yml"]
    workflow = yaml.safe_load(text)
    paths = [
        "services/storefront/**",
        "libs",
        "libs/**",
        "package-lock.json",
        "package-lock.json/**",
        ".github/workflows/release.yml",
    ]
    triggers = workflow[True]  # YAML reads `on` so
    assert triggers == {
        "push": {"branches": ["main"], "paths": paths},
        "pull_request": {"paths": paths},
    }
    steps = {one.get("name"): one for job in workflow["jobs"].values() for one in job["steps"]}
    assert steps["Test"]["run"] == "make --directory services/storefront test"
    assert steps["Build and push"]["env"]["NPM_TOKEN"] == "${{ secrets.NPM_TOKEN }}"
    assert (
        "--provenance=false --platform linux/amd64,linux/arm64 --push \\\n"
        '    --cache-from "type=registry,ref=$image:build-cache" \\\n'
    ) in steps["Build and push"]["run"]
    assert (
        '    --tag "$image:$version" --file services/storefront/docker/Dockerfile --target '
        "production --build-arg NODE_ENV=production --secret id=NPM_TOKEN,env=NPM_TOKEN "
        "services/storefront; then pushed=yes; fi\n"
    ) in steps["Build and push"]["run"]


def test_words_of_a_build_stay_words(configuration: Path, bend: Bend) -> None:
    change_service(
        bend, "community", "tournaments", build={"args": {"MOTTO": "it's $(id) `id` \\"}}
    )
    files = scaffold(load_files("dev", configuration))
    jobs = yaml.safe_load(files["pipelines/tournaments/.circleci/config.yml"].text)["jobs"]
    (command,) = [
        step["run"]["command"]
        for step in jobs["release"]["steps"]
        if isinstance(step, dict) and step["run"]["name"] == "Build and push"
    ]
    line = next(line for line in command.splitlines() if "--build-arg" in line)
    assert shlex.split(line)[2:] == ["--build-arg", "MOTTO=it's $(id) `id` \\", "."]


# --- how much of a process there is


SCALE = {"max": 10, "cpu": 70}
CRON = {"schedule": "0 3 * * *"}
VOLUME = {"data": {"path": "/data", "size": "1Gi"}}


def placed(process: str, environment: str, **keys: Any) -> Placement:
    """The placement of a process of a service in dev, which is fast, or prod, which is safe."""
    service = BuiltService.model_validate(
        {
            "owner": "shop",
            "source": "acme/web",
            "ci": "github-actions",
            "delivery": "commit",
            "processes": {"report": CRON, "worker": {}},
            **keys,
        }
    )
    speed = SPEEDS["fast" if environment == "dev" else "safe"]
    return placement(service, process, environment, speed)


@pytest.mark.parametrize(
    ("process", "environment", "keys", "pods"),
    [
        ("", "dev", {}, 1),
        ("", "prod", {}, 2),
        ("", "dev", {"replicas": 3}, 3),
        ("", "prod", {"replicas": 0}, 0),
        ("", "dev", {"replicas": 3, "overrides": {"dev": {"replicas": 5}}}, 5),
        ("", "dev", {"overrides": {"dev": {"replicas": 0}}}, 0),
        ("", "prod", {"replicas": 3, "overrides": {"dev": {"replicas": 5}}}, 3),
        ("", "prod", {"storage": VOLUME}, 1),
        ("", "prod", {"storage": VOLUME, "replicas": 3}, 3),
        ("worker", "prod", {"storage": VOLUME}, 2),
        ("worker", "dev", {"overrides": {"dev": {"replicas": 5}}}, 1),
        ("worker", "dev", {"overrides": {"dev": {"processes": {"worker": {"replicas": 4}}}}}, 4),
        ("", "dev", {"overrides": {"dev": {"processes": {"worker": {"replicas": 4}}}}}, 1),
        ("report", "prod", {}, None),
        ("", "dev", {"scale": SCALE}, None),
        ("", "dev", {"scale": SCALE, "overrides": {"dev": {"replicas": 2}}}, 2),
        ("", "dev", {"replicas": 2, "overrides": {"dev": {"scale": SCALE}}}, None),
    ],
)
def test_the_number_of_pods_is_that_of_the_nearest_who_says_one(
    process: str, environment: str, keys: dict[str, Any], pods: int | None
) -> None:
    assert placed(process, environment, **keys).replicas == pods


@pytest.mark.parametrize(
    ("environment", "keys", "least", "most"),
    [
        ("dev", {"scale": SCALE}, 1, 10),
        ("prod", {"scale": SCALE}, 2, 10),
        ("prod", {"scale": {"max": 1, "cpu": 70}}, 1, 1),
        ("prod", {"scale": {**SCALE, "min": 4}}, 4, 10),
        ("prod", {"scale": SCALE, "storage": VOLUME}, 1, 10),
        ("prod", {"scale": SCALE, "overrides": {"prod": {"scale": {"max": 30, "cpu": 5}}}}, 2, 30),
    ],
)
def test_a_scale_begins_with_the_pods_that_there_would_be_without_it(
    environment: str, keys: dict[str, Any], least: int, most: int
) -> None:
    scale = placed("", environment, **keys).scale
    assert scale
    assert (scale.min, scale.max) == (least, most)


@pytest.mark.parametrize(
    "keys", [{}, {"replicas": 2}, {"scale": SCALE, "overrides": {"dev": {"replicas": 2}}}]
)
def test_where_the_number_is_fixed_there_is_no_scale(keys: dict[str, Any]) -> None:
    assert placed("", "dev", **keys).scale is None


def test_resources_are_laid_over_those_of_the_speed_one_by_one() -> None:
    described = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    override = {"requests": {"memory": "3Gi"}, "limits": {"cpu": "2"}}
    keys = {"resources": described, "overrides": {"dev": {"resources": override}}}
    assert placed("", "dev", **keys).resources == Resources(
        cpu_request="100m", cpu_limit="2", memory_request="3Gi", memory_limit="2Gi"
    )
    assert placed("", "prod", **keys).resources == Resources(
        cpu_request="100m", cpu_limit="250m", memory_request="1Gi", memory_limit="2Gi"
    )
    assert placed("worker", "dev", **keys).resources == Resources(
        cpu_request="50m", cpu_limit=None, memory_request="64Mi", memory_limit="512Mi"
    )
