"""A chart of somebody else in the running lab: upgraded on dev, promoted, approved on prod."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.gitops_checkout import commit_and_push, pull
from lab.kubectl import KubectlError
from lab.tests.environment.changed_program import read, write
from lab.tests.environment.conftest import Lab
from lab.tests.environment.services.catalogue import PACKAGES as NAMESPACE
from lab.tests.environment.services.catalogue import package
from lab.tests.environment.services.conftest import Extended
from lab.tests.environment.test_releases import ship
from lab.up import approve
from lab.waiting import wait_until_empty

NAME = "sessions"
STATEFUL_SET = f"statefulset/{NAME}-redis"


def upgrade(more: Extended, version: str) -> None:
    """Name another version in the catalogue, and `pulumi up` on dev with a commit of its files."""
    file = more.program / "services.yaml"
    catalogue = read(file)
    catalogue["namespaces"][NAMESPACE]["packages"][NAME] = package(more.charts, version)
    write(file, catalogue)
    checkout, program = more.lab.site.gitops_checkout, more.lab.program
    pull(checkout)
    program.selected("dev")
    program.read("up", "--yes", "--skip-preview", stack="dev", folder=more.program)
    commit_and_push(checkout, f"{NAME} {version}")


def stands(lab: Lab, environment: str) -> dict[str, Any]:
    """What the cluster has of the StatefulSet; nothing where it is not there."""
    try:
        found = lab.kubectl(environment).get(f"--namespace={NAMESPACE}", STATEFUL_SET)
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
        application = lab.argocd(environment).application(NAME, refresh=True)["status"]
        states = [application.get(part, {}).get("status") for part in ("sync", "health")]
        if not stands(lab, environment):
            return f"{states}, {application.get('conditions')}"
        found = runs(lab, environment)
        return "" if [*states, found] == ["Synced", "Healthy", version] else f"{states} {found}"

    wait_until_empty(f"version {version} on {environment}", other, seconds=180)


def test_a_package_is_upgraded_on_dev_promoted_and_taken_back(more: Extended, clone: Path) -> None:
    lab = more.lab
    wait_until_it_runs(lab, "dev", "21.2.0")
    assert not stands(lab, "prod")

    ship(lab, clone, "promote-to-prod.sh", "--from-dev", "--service", NAME, "--yes")
    assert not stands(lab, "prod"), "nobody approved, and yet prod moved"
    approve(lab.site, "prod", NAME)
    wait_until_it_runs(lab, "prod", "21.2.0")
    assert stands(lab, "prod")["replicas"] == 2

    upgrade(more, "22.0.1")
    wait_until_it_runs(lab, "dev", "22.0.1")
    assert runs(lab, "prod") == "21.2.0"
    shown = ship(lab, clone, "promote-to-prod.sh", "22.0.1", "--service", NAME, "--yes")
    assert "-          value: 21.2.0" in shown
    assert "+          value: 22.0.1" in shown
    approve(lab.site, "prod", NAME)
    wait_until_it_runs(lab, "prod", "22.0.1")

    ship(lab, clone, "rollback-prod.sh", "--service", NAME, "--yes")
    approve(lab.site, "prod", NAME)
    wait_until_it_runs(lab, "prod", "21.2.0")
