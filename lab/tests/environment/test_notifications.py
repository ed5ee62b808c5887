"""Notifications: the real notifications controller, and the webhook receiver that it posts to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import requests

from lab.tests.environment.conftest import Lab
from lab.up import approve
from lab.waiting import wait_until_empty

SERVICE = "tv-frontend"
Message = dict[str, str]


def messages(lab: Lab, environment: str) -> list[Message]:
    """What came for the service, in the order of its arrival."""
    answer = requests.get(f"{lab.site.url('webhook-receiver')}/argocd", timeout=10)
    answer.raise_for_status()
    bodies: list[Message] = [document["body"] for document in answer.json()]
    return [m for m in bodies if (m["service"], m["environment"]) == (SERVICE, environment)]


def wait_for(
    lab: Lab, environment: str, event: str, fits: Callable[[Message], bool], after: int
) -> Message:
    """The first message of that event that fits, of those after the first `after`."""

    found: list[Message] = []

    def missing() -> str:
        new = messages(lab, environment)[after:]
        found[:] = [message for message in new if message["event"] == event and fits(message)]
        return "" if found else f"it, among {new}"

    wait_until_empty(f"the message {event} about {SERVICE} on {environment}", missing, seconds=90)
    return found[0]


def test_a_deployment_on_dev_and_a_promotion_that_waits_for_approval_are_told(
    lab: Lab, tmp_path: Path
) -> None:
    approve(lab.site, "prod", SERVICE)
    clone = lab.clone(tmp_path / "gitops")
    seen = {environment: len(messages(lab, environment)) for environment in ("dev", "prod")}

    commit = lab.builds.commit(SERVICE, "something to tell")
    lab.builds.pipeline(SERVICE, commit)
    version = f"-{commit[:7]}@sha256:"
    deployed = wait_for(lab, "dev", "on-deployed", lambda m: version in m["runs"], seen["dev"])
    assert deployed["url"] == "https://argocd.dev.acme.example/applications/argocd/tv-frontend"

    promoted = lab.script(clone, "promote-to-prod.sh", "--from-dev", "--yes", "--service", SERVICE)
    assert promoted.returncode == 0, promoted.stdout + promoted.stderr
    waiting = wait_for(lab, "prod", "waiting-for-approval", lambda _: True, seen["prod"])
    assert version not in waiting["runs"], "nobody approved, and yet prod runs it"
    assert waiting["namespace"] == "streaming"

    approve(lab.site, "prod", SERVICE)
    wait_for(lab, "prod", "on-deployed", lambda m: version in m["runs"], seen["prod"])
