"""A shop of microservices, and services with migrations and schedules, from the catalogue alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.ci.builds import Builds
from lab.daemons import metrics
from lab.gitops_checkout import git, pull
from lab.kubectl import KubectlError
from lab.kubernetes_api import cluster_pki
from lab.site import CHECKOUT
from lab.tests.environment.changed_program import Addition, extended, read
from lab.tests.environment.conftest import Lab
from lab.up import approve, unsettled
from lab.waiting import wait_until_empty

SHOP = CHECKOUT / "docs" / "examples" / "shop.yaml"
CACHE, LOAD_GENERATOR = "cache", "loadgenerator"
BUILT = {"owner": "orders", "ci": "github-actions", "port": 8080, "migrate": ["sh", "migrate.sh"]}
BACK_OFFICE = {
    "accounts": {
        **BUILT,
        "source": "acme/accounts",
        "delivery": "keel",
        "processes": {"tick": {"command": ["sh", "tick.sh"], "schedule": "* * * * *"}},
    },
    "billing": {**BUILT, "source": "acme/billing", "delivery": "commit", "packaging": "helm"},
}
SUCCEEDS, FAILS = "echo migrated as {name}\n", "echo failed as {name}; exit 3\n"


@dataclass(frozen=True)
class Shop:
    """Both environments with the shop, and with what has migrations in the namespace `office`."""

    lab: Lab
    builds: Builds
    clone: Path

    def build(self, name: str, **files: str) -> None:
        """A build of a service whose repository has these files."""
        self.builds.commit(name, f"{name}: before")
        for file, text in files.items():
            (self.builds.folder(name) / f"{file}.sh").write_text(text)
        self.builds.build(name, f"{name}: {', '.join(files) or 'a change'}")

    def script(self, name: str, *words: str) -> str:
        pull(self.clone)
        done = self.lab.script(self.clone, name, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settle(self, environment: str, *names: str) -> None:
        """Wait until the Applications are Synced and Healthy."""
        api = self.lab.argocd(environment)

        def missing() -> list[str]:
            found = api.applications()
            states = {name: unsettled(found.get(name), automated=True) for name in names}
            return [f"{name}: {state}" for name, state in states.items() if state]

        wait_until_empty(f"{', '.join(names)} on {environment}", missing, seconds=300)


@pytest.fixture(scope="module")
def shop(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    example = read(SHOP)
    addition = Addition(
        teams=example["teams"],
        namespaces={**example["namespaces"], "office": {"services": BACK_OFFICE}},
        cluster={"addons": {"aws-ebs-csi-driver": "v1.40.0-eksbuild.1"}},
    )
    folder = tmp_path_factory.mktemp("shop")
    with extended(lab, folder / "program", addition) as program:
        builds = Builds(lab.site, lab.program.environment, program)
        yield Shop(lab, builds, lab.clone(folder / "gitops"))


def in_shop() -> list[str]:
    return sorted(read(SHOP)["namespaces"]["shop"]["services"])


# --- the shop


def test_the_shop_runs_on_dev_is_promoted_in_one_commit_and_approved_on_prod(shop: Shop) -> None:
    names = in_shop()
    assert len(names) == 13
    built = [name for name in names if name != CACHE]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shop.build, built))
    shop.settle("dev", *names)

    on_prod = [name for name in names if name != LOAD_GENERATOR]
    before = tip(shop)
    named = [word for name in on_prod for word in ("--service", name)]
    shop.script("promote-to-prod.sh", "--from-dev", "--yes", *named)
    pull(shop.clone)
    assert git(shop.clone, "rev-list", "--count", f"{before}..HEAD").strip() == "1"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: approve(shop.lab.site, "prod", name), on_prod))
    shop.settle("prod", *on_prod)
    for name in on_prod:
        assert "@sha256:" in running_image(shop, "prod", "shop", name)
    with pytest.raises(KubectlError, match="NotFound"):
        shop.lab.kubectl("prod").get("--namespace=shop", f"deployment/{LOAD_GENERATOR}")


def test_the_cache_keeps_a_volume_of_its_own(shop: Shop) -> None:
    shop.settle("dev", CACHE)
    kubectl = shop.lab.kubectl("dev")
    claim = kubectl.get("--namespace=shop", "persistentvolumeclaim/data-cache-0")
    assert claim["status"]["phase"] == "Bound"
    assert claim["status"]["capacity"] == {"storage": "5Gi"}
    volume = kubectl.get("persistentvolume", claim["spec"]["volumeName"])
    assert volume["spec"]["csi"]["driver"] == "ebs.csi.aws.com"

    pod = kubectl.get("--namespace=shop", "pod/cache-0")["metadata"]["uid"]
    kubectl("delete", "--namespace=shop", "pod/cache-0")
    wait_until_empty("another pod", lambda: same_pod(shop, "cache-0", pod), seconds=300)
    again = kubectl.get("--namespace=shop", "persistentvolumeclaim/data-cache-0")
    assert again["spec"]["volumeName"] == claim["spec"]["volumeName"]


def test_an_autoscaler_follows_the_load_while_argocd_stays_synced(shop: Shop) -> None:
    shop.settle("dev", "frontend")
    assert replicas(shop, "frontend") == 1
    put_load(shop, "frontend", 1000)
    wait_until_empty("five pods", lambda: unlike(shop, "frontend", 5), seconds=300)
    shop.settle("dev", "frontend")
    application = shop.lab.argocd("dev").application("frontend", refresh=True)
    assert application["status"]["sync"]["status"] == "Synced"
    assert replicas(shop, "frontend") == 5, "Argo CD put the number back"
    put_load(shop, "frontend", 0)
    wait_until_empty("one pod", lambda: unlike(shop, "frontend", 1), seconds=300)


# --- migrations


def test_keel_rolls_only_what_has_migrated(shop: Shop) -> None:
    shop.build("accounts", migrate=SUCCEEDS.format(name="first"), tick="echo tick\n")
    shop.settle("dev", "accounts")
    first = jobs(shop, "dev", "accounts")
    assert [*first.values()] == ["Complete"]
    assert "migrated as first" in printed(shop, "dev", "accounts-migrate")
    serving = pods(shop, "dev", "accounts")

    shop.build("accounts", migrate=FAILS.format(name="second"), tick="echo tick\n")
    wait_until_empty("the failure", lambda: no_failure(shop, "dev", "accounts"), seconds=300)
    assert "failed as second" in printed(shop, "dev", "accounts-migrate")
    wait_until_empty("its report", lambda: no_report(shop, "dev", "accounts"), seconds=300)
    assert pods(shop, "dev", "accounts") == serving, "the old version does not serve any more"

    shop.build("accounts", migrate=SUCCEEDS.format(name="third"), tick="echo tick\n")
    wait_until_empty(
        "the third version",
        lambda: "" if not pods(shop, "dev", "accounts") & serving else "the first serves",
        seconds=300,
    )
    shop.settle("dev", "accounts")
    every = jobs(shop, "dev", "accounts")
    assert sorted(every.values()) == ["Complete", "Complete", "Failed"]

    kubectl = shop.lab.kubectl("dev")
    kubectl("delete", "--namespace=office", "pod", "--selector=app.kubernetes.io/name=accounts")
    shop.settle("dev", "accounts")
    assert jobs(shop, "dev", "accounts") == every, "a new pod of the same version migrated again"
    assert runs(shop, "dev", "accounts-migrate") == 3


def test_a_committed_version_migrates_on_dev_and_on_prod_and_not_when_it_comes_back(
    shop: Shop,
) -> None:
    shop.build("billing", migrate=SUCCEEDS.format(name="first"))
    shop.settle("dev", "billing")
    promote(shop, "billing")
    approve(shop.lab.site, "prod", "billing")
    assert [*jobs(shop, "dev", "billing").values()] == ["Complete"]
    assert [*jobs(shop, "prod", "billing").values()] == ["Complete"]
    serving = {environment: pods(shop, environment, "billing") for environment in ("dev", "prod")}
    assert len(serving["prod"]) == 2

    shop.build("billing", migrate=FAILS.format(name="second"))
    wait_until_empty("the failure", lambda: no_failure(shop, "dev", "billing"), seconds=300)
    assert pods(shop, "dev", "billing") == serving["dev"]
    promote(shop, "billing")
    api = shop.lab.argocd("prod")
    api.application("billing", refresh=True)
    api.sync("billing")
    wait_until_empty("the failure", lambda: no_failure(shop, "prod", "billing"), seconds=300)
    assert pods(shop, "prod", "billing") == serving["prod"]

    shop.script("rollback-prod.sh", "--service", "billing", "--yes")
    end_sync(shop, "billing")
    approve(shop.lab.site, "prod", "billing")
    assert pods(shop, "prod", "billing") == serving["prod"]
    assert sorted(jobs(shop, "prod", "billing").values()) == ["Complete", "Failed"]
    assert runs(shop, "prod", "billing-migrate") == 2


def test_a_scheduled_process_runs_from_the_image_once_it_has_migrated(shop: Shop) -> None:
    if not jobs(shop, "dev", "accounts"):
        shop.build("accounts", migrate=SUCCEEDS.format(name="first"), tick="echo tick\n")
    wait_until_empty(
        "a run",
        lambda: "" if "tick" in printed(shop, "dev", "accounts-tick") else "none",
        seconds=300,
    )
    found = shop.lab.kubectl("dev").get("--namespace=office", "cronjob/accounts-tick")
    assert "lastSuccessfulTime" in found["status"]


# --- what is there


def tip(shop: Shop) -> str:
    pull(shop.clone)
    return git(shop.clone, "rev-parse", "HEAD").strip()


def promote(shop: Shop, name: str) -> None:
    shop.script("promote-to-prod.sh", "--from-dev", "--service", name, "--yes")


def running_image(shop: Shop, environment: str, namespace: str, name: str) -> str:
    kind = "statefulset" if name == CACHE else "deployment"
    found = shop.lab.kubectl(environment).get(f"--namespace={namespace}", f"{kind}/{name}")
    image: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def same_pod(shop: Shop, name: str, uid: str) -> str:
    try:
        found = shop.lab.kubectl("dev").get("--namespace=shop", f"pod/{name}")
    except KubectlError as error:
        return str(error)
    ready = found["status"].get("phase") == "Running"
    return "" if ready and found["metadata"]["uid"] != uid else "the old one"


def replicas(shop: Shop, name: str) -> int:
    found = shop.lab.kubectl("dev").get("--namespace=shop", f"deployment/{name}")
    count: int = found["spec"]["replicas"]
    return count


def unlike(shop: Shop, name: str, wanted: int) -> str:
    count = replicas(shop, name)
    return "" if count == wanted else f"{count}"


def put_load(shop: Shop, name: str, millicores: int) -> None:
    site = shop.lab.site
    answer = requests.put(
        f"{metrics.address(site, 'dev')}/load/shop/{name}",
        json=millicores,
        verify=str(cluster_pki(site, "dev").authority),
        timeout=10,
    )
    answer.raise_for_status()


def listed(shop: Shop, environment: str, kind: str, label: str) -> list[dict[str, Any]]:
    selector = f"--selector=app.kubernetes.io/name={label}"
    found = shop.lab.kubectl(environment).get("--namespace=office", kind, selector)
    items: list[dict[str, Any]] = found["items"]
    return items


def jobs(shop: Shop, environment: str, name: str) -> Mapping[str, str]:
    """How each Job of the service's migrations ended, by name."""
    found = listed(shop, environment, "jobs", f"{name}-migrate")
    return {job["metadata"]["name"]: ended(job) for job in found}


def ended(job: dict[str, Any]) -> str:
    conditions = job.get("status", {}).get("conditions", ())
    kinds = [one["type"] for one in conditions if one["status"] == "True"]
    return next((kind for kind in kinds if kind in ("Complete", "Failed")), "")


def runs(shop: Shop, environment: str, label: str) -> int:
    """How many pods of Jobs there were."""
    return len(listed(shop, environment, "pods", label))


def pods(shop: Shop, environment: str, name: str) -> set[str]:
    """The pods of a service that serve."""
    return {
        pod["metadata"]["name"]
        for pod in listed(shop, environment, "pods", name)
        for condition in pod["status"].get("conditions", ())
        if (condition["type"], condition["status"]) == ("Ready", "True")
        and "deletionTimestamp" not in pod["metadata"]
    }


def no_failure(shop: Shop, environment: str, name: str) -> str:
    return "" if "Failed" in jobs(shop, environment, name).values() else "no failed Job"


def no_report(shop: Shop, environment: str, name: str) -> str:
    """What is missing until the gate of a new pod has told which Job failed, and waits."""
    said = printed(shop, environment, f"{name}-")
    failed = re.search(rf"({name}-migrate-[0-9a-f]+): FAILED", said)
    return "" if failed and failed[1] in jobs(shop, environment, name) else said


def printed(shop: Shop, environment: str, pod: str) -> str:
    """What the containers of pods wrote whose names begin so."""
    folder = shop.lab.site.logs() / "pods"
    files = sorted(folder.glob(f"{environment}-office-{pod}*.log"))
    return "".join(file.read_text(errors="replace") for file in files)


def end_sync(shop: Shop, name: str) -> None:
    """End the operation that waits for pods which never become ready, as docs/operate.md says."""
    api = shop.lab.argocd("prod")
    if "operation" in api.application(name):
        api.call("DELETE", f"applications/{name}/operation")
    wait_until_empty(
        "the end of the sync", lambda: "operation" in api.application(name), seconds=300
    )
