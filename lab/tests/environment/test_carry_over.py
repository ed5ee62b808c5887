"""CHANGELOG.md, "Carry over an environment that is up": nothing that runs changes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.gitops_checkout import commit_and_push, git, pull
from lab.overrides import overrides
from lab.site import CHECKOUT
from lab.tests.environment.changed_program import PROGRAM
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_releases import ship
from lab.up import approve, up_and_push
from lab.waiting import wait_until_empty


@pytest.fixture
def earlier(lab: Lab, tmp_path: Path) -> Path:
    """The program as if safe environments were rendered by Argo CD, from base and overlay."""
    folder = tmp_path / "earlier"
    folder.mkdir()
    for name in (*PROGRAM, "services.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        source = CHECKOUT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    speed = folder / "settings" / "speed.py"
    text, count = re.subn(r"rendered=True", "rendered=False", speed.read_text(encoding="utf-8"))
    assert count == 1
    speed.write_text(text, encoding="utf-8")
    checkout = folder / overrides(lab.site)["platform:gitops"]["checkout"]
    checkout.parent.mkdir(parents=True, exist_ok=True)
    checkout.symlink_to(lab.site.gitops_checkout)
    return folder


@pytest.fixture
def before_rendered_manifests(lab: Lab, earlier: Path) -> Iterator[None]:
    """prod, approved, as it was before there was a folder rendered/."""
    checkout = lab.site.gitops_checkout
    pull(checkout)
    for name in lab.argocd("prod").applications():
        approve(lab.site, "prod", name)
    rendered = git(checkout, "rev-parse", "HEAD").strip()
    lab.program.read("up", "--yes", stack=lab.program.selected("prod"), folder=earlier)
    git(checkout, "rm", "-r", "--quiet", "--ignore-unmatch", "rendered")
    commit_and_push(checkout, "As before there were rendered manifests")
    yield
    pull(checkout)
    git(checkout, "checkout", "--quiet", rendered, "--", "rendered")
    commit_and_push(checkout, "What prod runs")
    up_and_push(lab.site, lab.program, "prod")


def paths(lab: Lab) -> set[str]:
    found = lab.argocd("prod").applications().values()
    return {each["spec"]["source"]["path"].split("/")[0] for each in found}


def wait_until_in_step(lab: Lab) -> None:
    """Every Application of prod is Synced and Healthy, compared with Git anew."""
    api = lab.argocd("prod")

    def missing() -> dict[str, Any]:
        states = {n: api.application(n, refresh=True)["status"] for n in api.applications()}
        seen = {n: (s["sync"]["status"], s["health"]["status"]) for n, s in states.items()}
        return {n: state for n, state in seen.items() if state != ("Synced", "Healthy")}

    wait_until_empty("prod in step with Git", missing, seconds=120)


def what_runs(lab: Lab) -> dict[str, str]:
    """The identity of every pod and the generation of every Deployment of prod's services."""
    found: dict[str, str] = {}
    for namespace in ("community", "streaming"):
        pods = lab.kubectl("prod").get(f"--namespace={namespace}", "pods")["items"]
        found |= {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}
        objects = lab.kubectl("prod").get(f"--namespace={namespace}", "deployments")["items"]
        found |= {o["metadata"]["name"]: str(o["metadata"]["generation"]) for o in objects}
    return found


@pytest.mark.usefixtures("before_rendered_manifests")
def test_an_environment_is_carried_over_and_nothing_that_runs_changes(
    lab: Lab, tmp_path: Path
) -> None:
    wait_until_in_step(lab)
    assert "rendered" not in paths(lab)
    before = what_runs(lab)
    up_and_push(lab.site, lab.program, "dev")
    clone = lab.clone(tmp_path / "gitops")
    ship(lab, clone, "render.sh", "--write", "prod")
    commit_and_push(clone, "Render what prod runs")
    up_and_push(lab.site, lab.program, "prod")
    wait_until_in_step(lab)
    assert paths(lab) == {"rendered"}
    assert what_runs(lab) == before
    assert "promotion" in ship(lab, clone, "history.sh", "--environment", "prod")
