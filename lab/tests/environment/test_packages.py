"""A chart of somebody else in the running lab: upgraded on dev, promoted, approved on prod."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.daemons import charts
from lab.gitops_checkout import commit_and_push, pull
from lab.kubectl import KubectlError
from lab.site import CHECKOUT
from lab.tests.environment.changed_program import copied, read, write
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_releases import ship
from lab.up import approve, up_and_push
from lab.waiting import wait_until_empty
from tests.scripts.chart_repository import STATEFUL_SET, ChartRepository

NAMESPACE = "community"
OBJECTS = ("statefulset/cache-redis", "secret/cache-redis")
DEFINITION = "customresourcedefinitions/caches.example.com"
TEMPLATES = {
    "statefulset.yaml": STATEFUL_SET,
    "secret.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: "{{ .Release.Name }}-{{ .Chart.Name }}"}
stringData: {for: tests}
""",
    "definition.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: caches.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Cache, plural: caches, singular: cache}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, description: {{ repeat 300000 "x" | quote }}}}
""",
}
"""A definition is larger than the annotation in which a client's apply keeps a copy."""


class Platform:
    """The program with a package in its catalogue, and the chart's repository."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        served = charts.folder(lab.site) / "packages"
        served.mkdir(exist_ok=True)
        self.charts = ChartRepository(served, f"{lab.site.url('charts')}/packages")
        copied(lab.site, folder)
        for stack in lab.site.environments:
            name = f"Pulumi.{stack}.yaml"
            write(folder / name, read(CHECKOUT / name))

    def publish(self, version: str) -> None:
        """A version of the chart, and the catalogue that names it."""
        chart = {
            "repository": self.charts.url,
            "name": "redis",
            "version": version,
            "digest": self.charts.publish("redis", version, TEMPLATES),
        }
        catalogue = read(CHECKOUT / "services.yaml")
        catalogue["namespaces"][NAMESPACE]["packages"] = {
            "cache": {
                "owner": "gaming",
                "chart": chart,
                "overrides": {"prod": {"values": {"replicas": 2}}},
                "kinds": ["Secret"],
                "clusterKinds": ["apiextensions.k8s.io/CustomResourceDefinition"],
            }
        }
        write(self.folder / "services.yaml", catalogue)

    def up(self, stack: str) -> None:
        """`pulumi up` with that catalogue, and a commit of what it wrote."""
        checkout, program = self.lab.site.gitops_checkout, self.lab.program
        pull(checkout)
        program.selected(stack)
        program.read("up", "--yes", "--skip-preview", stack=stack, folder=self.folder)
        commit_and_push(checkout, f"The cache, as pulumi up wrote it for {stack}")


@pytest.fixture
def platform(lab: Lab, tmp_path: Path) -> Iterator[Platform]:
    yield Platform(lab, tmp_path / "program")
    for stack in lab.site.environments:
        up_and_push(lab.site, lab.program, stack)
        kubectl = lab.kubectl(stack)
        gone = ("delete", "--ignore-not-found")
        kubectl(*gone, f"--namespace={NAMESPACE}", *OBJECTS)
        kubectl(*gone, DEFINITION)
    # What was released stays until a person deletes it.
    checkout = lab.site.gitops_checkout
    pull(checkout)
    shutil.rmtree(checkout / "rendered" / "prod" / NAMESPACE / "cache")
    commit_and_push(checkout, "Delete the cache")


def stands(lab: Lab, environment: str) -> dict[str, Any]:
    """What the cluster has of the StatefulSet; nothing where it is not there."""
    try:
        found = lab.kubectl(environment).get(f"--namespace={NAMESPACE}", OBJECTS[0])
    except KubectlError:
        return {}
    spec: dict[str, Any] = found["spec"]
    return spec


def runs(lab: Lab, environment: str) -> str:
    """The version of the chart that the cluster has."""
    for container in stands(lab, environment).get("template", {}).get("spec", {})["containers"]:
        return str(next(e["value"] for e in container["env"] if e["name"] == "VERSION"))
    return ""


def wait_until_it_runs(lab: Lab, environment: str, version: str) -> None:
    """Synced, Healthy, and of that version."""

    def other() -> str:
        application = lab.argocd(environment).application("cache", refresh=True)["status"]
        states = [application.get(part, {}).get("status") for part in ("sync", "health")]
        if not stands(lab, environment):
            return f"{states}, {application.get('conditions')}"
        found = runs(lab, environment)
        return "" if [*states, found] == ["Synced", "Healthy", version] else f"{states} {found}"

    wait_until_empty(f"version {version} on {environment}", other, seconds=180)


def test_a_package_is_upgraded_on_dev_promoted_and_taken_back(
    lab: Lab, platform: Platform, tmp_path: Path
) -> None:
    platform.publish("21.2.0")
    for stack in ("dev", "prod"):
        platform.up(stack)
    wait_until_it_runs(lab, "dev", "21.2.0")
    assert not stands(lab, "prod")

    clone = lab.clone(tmp_path / "gitops")
    ship(lab, clone, "promote-to-prod.sh", "--from-dev", "--service", "cache", "--yes")
    assert not stands(lab, "prod"), "nobody approved, and yet prod moved"
    approve(lab.site, "prod", "cache")
    wait_until_it_runs(lab, "prod", "21.2.0")
    assert stands(lab, "prod")["replicas"] == 2

    platform.publish("22.0.1")
    platform.up("dev")
    wait_until_it_runs(lab, "dev", "22.0.1")
    assert runs(lab, "prod") == "21.2.0"
    shown = ship(lab, clone, "promote-to-prod.sh", "22.0.1", "--service", "cache", "--yes")
    assert "+          value: 22.0.1" in shown
    approve(lab.site, "prod", "cache")
    wait_until_it_runs(lab, "prod", "22.0.1")

    ship(lab, clone, "rollback-prod.sh", "--service", "cache", "--yes")
    approve(lab.site, "prod", "cache")
    wait_until_it_runs(lab, "prod", "21.2.0")
