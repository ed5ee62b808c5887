"""A build behind the moving tag: Keel rolls it out on dev, Git and Argo CD stay as they are."""

from __future__ import annotations

from typing import Any

import pytest

from lab.gitops_checkout import git
from lab.images import digest_of
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty

UPDATED = "keel.sh/update-time"


def pod_template(lab: Lab, name: str) -> dict[str, Any]:
    """The pod template of a Deployment in the namespace community on dev."""
    deployment = lab.kubectl("dev").get("--namespace=community", f"deployment/{name}")
    template: dict[str, Any] = deployment["spec"]["template"]
    return template


@pytest.mark.parametrize("name", ["tournaments", "leaderboard"])
def test_a_pushed_build_is_rolled_at_once_and_argocd_stays_synced(lab: Lab, name: str) -> None:
    registry, repository = lab.site.registry_host, f"community/{name}"
    before = pod_template(lab, name)
    digest = digest_of(registry, repository, "dev")
    commits = git(lab.site.home, "ls-remote", lab.site.gitops_url)

    lab.builds.build(name, f"{name}: a change to roll out")
    assert digest_of(registry, repository, "dev") != digest

    def not_rolled() -> str:
        rolled = pod_template(lab, name)["metadata"]["annotations"].get(UPDATED)
        old = before["metadata"]["annotations"].get(UPDATED)
        return "" if rolled != old else "an update-time by Keel"

    wait_until_empty(f"the rollout of {name}", not_rolled, seconds=90)
    lab.kubectl("dev")(
        "rollout", "status", "--namespace=community", f"deployment/{name}", "--timeout=60s"
    )
    application = lab.argocd("dev").application(name, refresh=True)
    assert application["status"]["sync"]["status"] == "Synced"
    assert git(lab.site.home, "ls-remote", lab.site.gitops_url) == commits
    image = pod_template(lab, name)["spec"]["containers"][0]["image"]
    assert image == before["spec"]["containers"][0]["image"]
