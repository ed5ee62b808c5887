"""docs/operate.md, "At three in the morning": every step, as it stands there, on the real parts."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.argocd_api import ArgoCdError
from lab.gitops_checkout import commit_and_push, git, pull
from lab.site import CHECKOUT
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_releases import Build, build, live, running, ship, wait_until_live
from lab.toolchain import Toolchain
from lab.up import approve
from lab.waiting import wait_until_empty

SERVICE, NAMESPACE, NAME = "streaming/tv-frontend", "streaming", "tv-frontend"
OVERLAY = f"environments/prod/{SERVICE}/deployment.yaml"
CONFIG = f"base/{SERVICE}/config/theme.json"
NEIGHBOUR = "base/streaming/tv-api/kustomization.yaml"
ALWAYS = [
    {"kind": "deny", "schedule": f"0 {hour} * * *", "duration": "23h", "timeZone": "Etc/UTC"}
    for hour in (0, 12)
]
"""Freezes, one of which there always is: a single one that never ended would be refused."""
ADMINISTRATOR, RELEASER = "on-call", "rhea"
REMOTE = 5


def commands(title: str) -> list[str]:
    """The console commands of a step of the page, each on one line."""
    page = (CHECKOUT / "docs/operate.md").read_text(encoding="utf-8")
    night = page.partition("## At three in the morning")[2].partition("\n## ")[0]
    step = night.partition(f"**{title}")[2].partition("\n**")[0]
    (block,) = re.findall(r"```console\n(.*?)```", step, re.DOTALL)
    joined = re.sub(r"\\?\n(?!\$)\s*", " ", block)
    return [re.sub(r"\s+#.*", "", line.removeprefix("$ ")) for line in joined.split("\n") if line]


class OnCall:
    """Somebody with a releaser's session, a clone, and the cluster's administrator beside them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.clone = lab.clone(folder / "gitops")
        self.api = lab.argocd("prod", RELEASER)
        self.environment = {
            **lab.builds.environment,
            "KUBECONFIG": str(lab.site.admin_kubeconfig("prod")),
            "ARGOCD_SERVER": lab.site.url("argocd-server", "prod").partition("://")[2],
            "ARGOCD_AUTH_TOKEN": self.api.token,
            "ARGOCD_OPTS": "--plaintext",
            "HOME": str(folder),
        }
        tools = (Toolchain().path(name).parent for name in ("kubectl", "argocd"))
        self.environment["PATH"] = os.pathsep.join([*map(str, tools), self.environment["PATH"]])

    def do(self, command: str) -> str:
        """A command of the page, for the service; it must succeed."""
        for name, value in {"service": NAME, "namespace": NAMESPACE, "you": ADMINISTRATOR}.items():
            command = command.replace(f"<{name}>", value)
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=self.clone,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def promote(self, built: Build) -> None:
        ship(self.lab, self.clone, "promote-to-prod.sh", built.version, "--service", NAME, "--yes")

    def roll_back(self) -> None:
        ship(self.lab, self.clone, "rollback-prod.sh", "--service", NAME, "--yes")

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.application(NAME, refresh=True)["status"]
        return found

    def wait(self, what: str, missing: Callable[[dict[str, Any]], object]) -> None:
        wait_until_empty(what, lambda: missing(self.state()), seconds=120)

    def wait_until_settled(self, built: Build) -> None:
        self.wait(f"{built.version} in step with Git and healthy", unsettled)
        wait_until_live(self.lab, "prod", SERVICE, built)


def unsettled(state: dict[str, Any]) -> str:
    seen = state["sync"]["status"], state["health"]["status"]
    return "" if seen == ("Synced", "Healthy") else " ".join(seen)


def unnoticed(state: dict[str, Any]) -> str:
    seen = state["sync"]["status"]
    return "" if seen == "OutOfSync" else f"{seen} {state['sync']} {state.get('conditions')}"


@pytest.fixture
def on_call(lab: Lab, tmp_path: Path) -> OnCall:
    return OnCall(lab, tmp_path)


@pytest.fixture
def first(lab: Lab) -> Build:
    """The version that runs on prod, and is what a rollback goes back to."""
    approve(lab.site, "prod", NAME)
    return running(lab, "prod", SERVICE)


@pytest.fixture
def second(lab: Lab, on_call: OnCall, first: Build) -> Build:
    """A version that is promoted, and that nobody has approved."""
    built = build(lab, SERVICE, "Break at night")
    wait_until_live(lab, "dev", SERVICE, built)
    on_call.promote(built)
    on_call.wait("prod's notice", unnoticed)
    assert live(lab, "prod", SERVICE) == first.image
    return built


# --- the window is closed


@pytest.fixture
def frozen(lab: Lab) -> Iterator[None]:
    """prod with a freeze that never ends; without it afterwards."""
    committed = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())["config"]
    argocd = {**committed["platform:argocd"], "syncWindows": ALWAYS}
    lab.program.trying["prod"] = {"platform:argocd": argocd}
    try:
        lab.program.read("up", "--yes", stack=lab.program.selected("prod"))
        yield
    finally:
        del lab.program.trying["prod"]
        lab.program.read("up", "--refresh", "--yes", stack=lab.program.selected("prod"))


def windows(lab: Lab) -> list[dict[str, Any]]:
    found = lab.kubectl("prod").get("--namespace=argocd", f"appproject/{NAMESPACE}")
    listed: list[dict[str, Any]] = found["spec"].get("syncWindows", [])
    return listed


@pytest.mark.usefixtures("second")
def test_a_closed_window_is_opened_for_one_sync(
    lab: Lab, on_call: OnCall, second: Build, frozen: None
) -> None:
    with pytest.raises(ArgoCdError, match="window"):
        on_call.api.sync(NAME)
    *opened, restored = commands("The window is closed.")
    for command in opened:
        on_call.do(command)
    on_call.wait_until_settled(second)
    assert windows(lab) == []
    assert restored == "pulumi up --refresh --stack prod"
    lab.program.read("up", "--refresh", "--yes", stack=lab.program.selected("prod"))
    assert [window["kind"] for window in windows(lab)] == ["deny", "deny"]


# --- the sync hangs


@contextmanager
def never_ready(on_call: OnCall) -> Iterator[None]:
    """The overlay of prod asks for a node that there is not, and another configuration comes.

    With the configuration before it to prune, Argo CD waits until the pods are healthy.
    """
    before = {p: (on_call.clone / p).read_text(encoding="utf-8") for p in (OVERLAY, CONFIG)}
    deployment = yaml.safe_load(before[OVERLAY])
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {"example.com/no-such-node": "true"}
    (on_call.clone / OVERLAY).write_text(yaml.safe_dump(deployment, sort_keys=False))
    (on_call.clone / CONFIG).write_text('{"palette": "night"}\n', encoding="utf-8")
    commit_and_push(on_call.clone, "A node that there is not")
    try:
        yield
    finally:
        pull(on_call.clone)
        for path, text in before.items():
            (on_call.clone / path).write_text(text, encoding="utf-8")
        commit_and_push(on_call.clone, "The nodes that there are")


def test_a_sync_that_hangs_is_terminated_and_the_rollback_synced(
    lab: Lab, on_call: OnCall, first: Build
) -> None:
    built = build(lab, SERVICE, "Hang at night")
    wait_until_live(lab, "dev", SERVICE, built)
    pull(on_call.clone)
    with never_ready(on_call):
        on_call.promote(built)
        on_call.wait("prod's notice", unnoticed)
        on_call.api.sync(NAME)
        wait_until_live(lab, "prod", SERVICE, built)
        with pytest.raises(ArgoCdError, match="another operation is already in progress"):
            on_call.api.sync(NAME)
        on_call.roll_back()
        for command in commands('The sync hangs, or "another operation is already in progress".'):
            on_call.do(command)
        on_call.wait_until_settled(first)


# --- main is broken, and the registry does not answer


def test_a_rollback_needs_neither_a_neighbour_that_renders_nor_the_registry(
    lab: Lab, on_call: OnCall, first: Build, second: Build
) -> None:
    approve(lab.site, "prod", NAME)
    pull(on_call.clone)
    whole = (on_call.clone / NEIGHBOUR).read_text(encoding="utf-8")
    (on_call.clone / NEIGHBOUR).write_text(whole.replace("resources:", "resources:\n  - no.yaml"))
    commit_and_push(on_call.clone, "Break tv-api")
    one = ("--service", NAME, "--yes")
    unreachable = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    try:
        refused = lab.script(
            on_call.clone, "promote-to-prod.sh", first.version, *one, **unreachable
        )
        assert (refused.returncode, "registry" in refused.stderr) == (REMOTE, True), refused.stderr
        done = lab.script(on_call.clone, "rollback-prod.sh", *one, **unreachable)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the registry did not answer" in done.stderr
        approve(lab.site, "prod", NAME)
        on_call.wait_until_settled(first)
        on_call.do("git revert --no-edit HEAD~1 && git push --quiet origin HEAD:main")
    finally:
        pull(on_call.clone)
    assert "no.yaml" not in (on_call.clone / NEIGHBOUR).read_text(encoding="utf-8")


# --- no releaser can sign in


def test_the_administrator_syncs_where_no_releaser_can_sign_in(
    on_call: OnCall, second: Build
) -> None:
    (sync,) = commands("No releaser can sign in.")
    on_call.do(sync)
    on_call.wait_until_settled(second)
    operation = on_call.state()["operationState"]["operation"]
    assert operation["initiatedBy"]["username"] == ADMINISTRATOR


# --- Git is down


def test_without_git_prod_runs_on_and_a_change_by_hand_stays_until_it_is_back(
    lab: Lab, on_call: OnCall, first: Build
) -> None:
    repository = lab.site.git_repositories / "acme" / "gitops.git"
    away = repository.with_name("away.git")
    deployment = ("--namespace=streaming", f"deployment/{NAME}")
    repository.rename(away)
    try:
        on_call.wait("that Git is missed", lambda s: not s.get("conditions"))
        done = lab.script(on_call.clone, "rollback-prod.sh", "--service", NAME, "--yes")
        assert (done.returncode, "cannot reach origin" in done.stderr) == (REMOTE, True)
        lab.kubectl("prod")("scale", *deployment, "--replicas=3")
        assert live(lab, "prod", SERVICE) == first.image
    finally:
        away.rename(repository)
    on_call.wait("the difference", unnoticed)
    assert lab.kubectl("prod").get(*deployment)["spec"]["replicas"] == 3
    approve(lab.site, "prod", NAME)
    assert lab.kubectl("prod").get(*deployment)["spec"]["replicas"] == 2
    assert git(on_call.clone, "status", "--porcelain") == ""
