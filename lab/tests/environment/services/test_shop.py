"""The example of a whole shop in the running lab, from its services.yaml alone."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.daemons import metrics
from lab.gitops_checkout import git, pull
from lab.images import digest_of, tags
from lab.tests.environment.conftest import Lab
from lab.tests.environment.services.catalogue import SHOP as NAMESPACE
from lab.tests.environment.services.conftest import Extended
from lab.tests.environment.test_releases import ship
from lab.up import approve, unsettled
from lab.waiting import wait_until_empty

BUILT = (
    "ads",
    "assistant",
    "cart",
    "catalog",
    "checkout",
    "currency",
    "email",
    "frontend",
    "loadgenerator",
    "payment",
    "recommendation",
    "shipping",
)
LIVES_ON_DEV_ALONE = "loadgenerator"
ON_DEV = sorted([*BUILT, "cache"])
ON_PROD = sorted({*ON_DEV} - {LIVES_ON_DEV_ALONE})


@dataclass(frozen=True)
class Shop:
    """Both environments with the shop, of which every service was built once."""

    lab: Lab

    def get(self, environment: str, *what: str) -> Any:
        return self.lab.kubectl(environment).get(*what, f"--namespace={NAMESPACE}")

    def settle(self, environment: str, names: Iterable[str]) -> None:
        """Wait until these Applications are Synced and Healthy."""

        def missing() -> list[str]:
            found = self.lab.argocd(environment).applications()
            return [
                f"{name}: {problem}"
                for name in names
                if (problem := unsettled(found.get(name), automated=True))
            ]

        wait_until_empty(f"the shop on {environment}", missing, seconds=180)


@pytest.fixture(scope="module")
def shop(more: Extended) -> Shop:
    more.builds.build_all([*BUILT])
    return Shop(more.lab)


def test_the_example_runs_on_dev_without_an_edited_file(shop: Shop) -> None:
    shop.settle("dev", ON_DEV)
    namespace = shop.lab.kubectl("dev").get("namespace", NAMESPACE)
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert ready(shop, "dev", "deployments") == dict.fromkeys(BUILT, 1)
    assert ready(shop, "dev", "statefulsets") == {"cache": 1}
    assert claims(shop, "dev") == {"data-cache-0": ("Bound", "gp3-auto")}


def ready(shop: Shop, environment: str, kind: str) -> dict[str, int]:
    """How many pods of each workload are ready."""
    return {
        one["metadata"]["name"]: one["status"].get("readyReplicas", 0)
        for one in shop.get(environment, kind)["items"]
    }


def claims(shop: Shop, environment: str) -> dict[str, tuple[str, str]]:
    return {
        one["metadata"]["name"]: (one["status"]["phase"], one["spec"]["storageClassName"])
        for one in shop.get(environment, "persistentvolumeclaims")["items"]
    }


def test_an_autoscaler_follows_the_load_and_argo_cd_leaves_its_number_alone(shop: Shop) -> None:
    shop.settle("dev", ["frontend"])
    load(shop, 1000)
    wait_until_empty("more pods", lambda: fewer(shop, 3), seconds=60)
    found = shop.lab.argocd("dev").application("frontend", refresh=True)
    assert found["status"]["sync"]["status"] == "Synced"
    shop.settle("dev", ["frontend"])
    assert not fewer(shop, 3), "Argo CD put the number of pods back"
    load(shop, 1)
    wait_until_empty("fewer pods", lambda: "" if fewer(shop, 2) else "one pod", seconds=60)


def load(shop: Shop, millicores: int) -> None:
    """What the pods of the frontend use of a CPU, together."""
    address = metrics.address(shop.lab.site, "dev")
    answer = requests.put(
        f"{address}/load/{NAMESPACE}/frontend",
        json=millicores,
        verify=str(shop.lab.site.certificate_authority("dev")),
        timeout=10,
    )
    answer.raise_for_status()


def fewer(shop: Shop, count: int) -> str:
    pods = shop.get("dev", "deployment/frontend")["status"].get("readyReplicas", 0)
    return f"{pods} pods" if pods < count else ""


def test_the_shop_is_promoted_in_one_commit_and_approved(shop: Shop, clone: Path) -> None:
    before = git(clone, "rev-parse", "HEAD").strip()
    named = [word for name in ON_PROD for word in ("--service", name)]
    ship(shop.lab, clone, "promote-to-prod.sh", "--from-dev", *named, "--yes")
    pull(clone)
    assert git(clone, "rev-list", "--count", f"{before}..HEAD").strip() == "1"
    assert ready(shop, "prod", "deployments") == {}, "nobody approved, and yet prod moved"

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda name: approve(shop.lab.site, "prod", name), ON_PROD))
    shop.settle("prod", ON_PROD)
    serving = ready(shop, "prod", "deployments")
    two = {name: 2 for name in BUILT if name != LIVES_ON_DEV_ALONE}
    assert serving == {**two, "frontend": 1}, "the autoscaler starts at its lowest number"
    assert ready(shop, "prod", "statefulsets") == {"cache": 1}
    assert claims(shop, "prod") == {"data-cache-0": ("Bound", "gp3")}
    for name in serving:
        assert image(shop, "prod", f"deployment/{name}") == released(shop, name)
    assert image(shop, "prod", "statefulset/cache") == image(shop, "dev", "statefulset/cache")


def image(shop: Shop, environment: str, workload: str) -> str:
    (container,) = shop.get(environment, workload)["spec"]["template"]["spec"]["containers"]
    found: str = container["image"]
    return found


def released(shop: Shop, name: str) -> str:
    """The one build of a service, at its version and held by its digest."""
    registry, repository = shop.lab.site.registry_host, f"{NAMESPACE}/{name}"
    (version,) = [tag for tag in tags(registry, repository) if tag.startswith("v")]
    return f"{registry}/{repository}:{version}@{digest_of(registry, repository, version)}"
