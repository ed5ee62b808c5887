"""A version that never becomes ready: the pods that serve keep everything they need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.gitops_checkout import commit_and_push, git, pull
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_releases import build, live, ship, wait_until_live
from lab.up import approve
from lab.waiting import wait_until_empty

SERVICE, NAMESPACE, NAME = "streaming/tv-frontend", "streaming", "tv-frontend"
OVERLAYS = {
    environment: f"environments/{environment}/{SERVICE}/deployment.yaml"
    for environment in ("dev", "prod")
}
CONFIG = f"base/{SERVICE}/config/theme.json"


@pytest.fixture
def clone(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A clone of the GitOps repository; what the test changed in it is put back."""
    folder = lab.clone(tmp_path / "gitops")
    before = {path: (folder / path).read_text() for path in (*OVERLAYS.values(), CONFIG)}
    yield folder
    pull(folder)
    for path, text in before.items():
        (folder / path).write_text(text)
    if commit_and_push(folder, "Put tv-frontend back"):
        wait_until_empty("dev as before", lambda: _unsettled(lab), seconds=120)


def _state(lab: Lab, environment: str) -> dict[str, Any]:
    state: dict[str, Any] = lab.argocd(environment).application(NAME, refresh=True)["status"]
    return state


def _unsettled(lab: Lab) -> str:
    state = _state(lab, "dev")
    seen = (state["sync"]["status"], state["health"]["status"])
    return "" if seen == ("Synced", "Healthy") else " ".join(seen)


def _config_maps(lab: Lab, environment: str) -> set[str]:
    found = lab.kubectl(environment).get(f"--namespace={NAMESPACE}", "configmaps")
    names = {item["metadata"]["name"] for item in found["items"]}
    return {name for name in names if name.startswith(f"{NAME}-config-")}


def _mounted_by_ready_pods(lab: Lab, environment: str) -> set[str]:
    pods = lab.kubectl(environment).get(
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


def _push_what_is_never_ready(clone: Path, environment: str) -> str:
    """Another configuration, and pods that no node takes; returns the commit."""
    overlay = clone / OVERLAYS[environment]
    deployment = yaml.safe_load(overlay.read_text())
    deployment["spec"]["progressDeadlineSeconds"] = 5
    deployment["spec"]["minReadySeconds"] = 0
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {"example.com/no-such-node": "true"}
    overlay.write_text(yaml.safe_dump(deployment, sort_keys=False))
    (clone / CONFIG).write_text('{"palette": "never seen"}\n')
    commit_and_push(clone, "tv-frontend: never ready")
    return git(clone, "rev-parse", "HEAD").strip()


def _require_what_serves(lab: Lab, environment: str, serving: str) -> None:
    assert _mounted_by_ready_pods(lab, environment) == {serving}, "the old pods serve"
    assert serving in _config_maps(lab, environment), "and what they mount is there"


def test_a_failed_version_leaves_the_old_pods_their_configuration(lab: Lab, clone: Path) -> None:
    """Through the attempts that follow the first: those are what pruned it once."""
    wait_until_empty("dev settled", lambda: _unsettled(lab), seconds=120)
    (serving,) = _mounted_by_ready_pods(lab, "dev")
    pushed = _push_what_is_never_ready(clone, "dev")

    def untried() -> str:
        operation = _state(lab, "dev").get("operationState", {})
        tried = operation.get("syncResult", {}).get("revision") == pushed
        again = operation.get("retryCount", 0) >= 2
        return "" if tried and again else f"{operation.get('phase')}: {operation.get('message')}"

    wait_until_empty("two attempts more", untried, seconds=180)
    _require_what_serves(lab, "dev", serving)
    assert _state(lab, "dev")["operationState"]["phase"] != "Succeeded"
    _terminate(lab, "dev")  # the next attempt would come in a minute


def _terminate(lab: Lab, environment: str) -> None:
    """End the sync as Argo CD's API does; on dev, where syncs are automated, nobody may ask it."""
    ended = '{"status": {"operationState": {"phase": "Terminating"}}}'
    application = ("--namespace=argocd", f"application/{NAME}")
    lab.kubectl(environment)("patch", *application, "--type=merge", f"--patch={ended}")


def _approve_in_vain(lab: Lab, released: str) -> None:
    """Approve the sync of a release on prod, and wait until it has failed."""
    started = _state(lab, "prod")["operationState"]["startedAt"]
    lab.argocd("prod").sync(NAME)

    def under_way() -> str:
        operation = _state(lab, "prod")["operationState"]
        revision = operation.get("syncResult", {}).get("revision")
        ended = operation["startedAt"] != started and operation["phase"] != "Running"
        said = f"{operation['phase']} at {revision}: {operation.get('message')}"
        return "" if ended and revision == released else said

    wait_until_empty("the end of the sync", under_way, seconds=120)
    assert _state(lab, "prod")["operationState"]["phase"] == "Failed"


def test_a_failed_promotion_leaves_the_old_pods_their_configuration_until_the_rollback(
    lab: Lab, clone: Path
) -> None:
    """Each approval is one attempt."""
    approve(lab.site, "prod", NAME)
    before = live(lab, "prod", SERVICE)
    (serving,) = _mounted_by_ready_pods(lab, "prod")
    _push_what_is_never_ready(clone, "prod")
    built = build(lab, SERVICE, "Never ready")
    wait_until_live(lab, "dev", SERVICE, built)
    ship(lab, clone, "promote-to-prod.sh", "--from-dev", "--service", NAME, "--yes")
    released = git(clone, "rev-parse", "origin/main").strip()

    try:
        for _ in ("the first attempt", "another"):
            _approve_in_vain(lab, released)
            assert live(lab, "prod", SERVICE) == built.image
            _require_what_serves(lab, "prod", serving)
            assert _config_maps(lab, "prod") > {serving}, "the new configuration came"
    finally:
        ship(lab, clone, "rollback-prod.sh", "--service", NAME, "--yes")
        approve(lab.site, "prod", NAME)
    assert live(lab, "prod", SERVICE) == before
    assert _mounted_by_ready_pods(lab, "prod") == _config_maps(lab, "prod") == {serving}
