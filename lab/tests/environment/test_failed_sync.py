"""A version that never becomes ready: the pods that serve keep everything they need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.gitops_checkout import commit_and_push, git, pull
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty

NAMESPACE, NAME = "streaming", "tv-frontend"
OVERLAY = f"environments/dev/{NAMESPACE}/{NAME}/deployment.yaml"
CONFIG = f"base/{NAMESPACE}/{NAME}/config/theme.json"


@pytest.fixture
def clone(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A clone of the GitOps repository; what the test changed in it is put back."""
    folder = lab.clone(tmp_path / "gitops")
    before = {path: (folder / path).read_text() for path in (OVERLAY, CONFIG)}
    yield folder
    pull(folder)
    for path, text in before.items():
        (folder / path).write_text(text)
    if commit_and_push(folder, "Put tv-frontend back"):
        wait_until_empty("dev as before", lambda: _unsettled(lab), seconds=120)


def _state(lab: Lab) -> dict[str, Any]:
    state: dict[str, Any] = lab.argocd("dev").application(NAME, refresh=True)["status"]
    return state


def _unsettled(lab: Lab) -> str:
    state = _state(lab)
    seen = (state["sync"]["status"], state["health"]["status"])
    return "" if seen == ("Synced", "Healthy") else " ".join(seen)


def _config_maps(lab: Lab) -> set[str]:
    found = lab.kubectl("dev").get(f"--namespace={NAMESPACE}", "configmaps")
    names = {item["metadata"]["name"] for item in found["items"]}
    return {name for name in names if name.startswith(f"{NAME}-config-")}


def _mounted_by_ready_pods(lab: Lab) -> set[str]:
    pods = lab.kubectl("dev").get(
        f"--namespace={NAMESPACE}", "pods", f"--selector=app.kubernetes.io/name={NAME}"
    )
    return {
        volume["configMap"]["name"]
        for pod in pods["items"]
        if any(
            one["type"] == "Ready" and one["status"] == "True"
            for one in pod["status"].get("conditions", [])
        )
        for volume in pod["spec"]["volumes"]
        if "configMap" in volume
    }


def _never_ready(clone: Path) -> None:
    """Another configuration, and pods that no node takes."""
    deployment = yaml.safe_load((clone / OVERLAY).read_text())
    deployment["spec"]["progressDeadlineSeconds"] = 5
    deployment["spec"]["minReadySeconds"] = 0
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {"example.com/no-such-node": "true"}
    (clone / OVERLAY).write_text(yaml.safe_dump(deployment, sort_keys=False))
    (clone / CONFIG).write_text('{"palette": "never seen"}\n')


def test_a_failed_version_leaves_the_old_pods_their_configuration(lab: Lab, clone: Path) -> None:
    """Through the attempts that follow the first: those are what pruned it once."""
    wait_until_empty("dev settled", lambda: _unsettled(lab), seconds=120)
    (serving,) = _mounted_by_ready_pods(lab)
    _never_ready(clone)
    commit_and_push(clone, "tv-frontend: never ready")
    pushed = git(clone, "rev-parse", "HEAD").strip()

    def untried() -> str:
        operation = _state(lab).get("operationState", {})
        tried = operation.get("syncResult", {}).get("revision") == pushed
        again = operation.get("retryCount", 0) >= 2
        return "" if tried and again else f"{operation.get('phase')}: {operation.get('message')}"

    wait_until_empty("two attempts more", untried, seconds=180)
    assert _mounted_by_ready_pods(lab) == {serving}, "the old pods serve"
    assert serving in _config_maps(lab), "and what they mount is there"
    assert _state(lab)["operationState"]["phase"] != "Succeeded"
