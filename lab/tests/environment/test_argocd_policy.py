"""What the real Argo CD makes of our policy, sign-on and triggers; no cluster is asked.

`argocd admin settings` reads and decides with the code of the server, `argocd admin notifications`
with that of the notifications controller.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import wiring
from components.argocd import notifications
from components.argocd import rbac as argocd_rbac
from components.argocd import values as argocd_values
from lab.toolchain import Toolchain
from settings.argocd import Notifications
from settings.environment import Settings
from settings.files import ROOT
from settings.loading import load_files
from settings.sign_on import Sso

CHECKOUT = ROOT
NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "nobody", "user": {}}],
    "contexts": [
        {
            "name": "nowhere",
            "context": {"cluster": "nowhere", "user": "nobody", "namespace": "argocd"},
        }
    ],
    "current-context": "nowhere",
}


class Admin:
    """`argocd admin` with a kubeconfig that leads nowhere."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.variables = {**os.environ, "KUBECONFIG": str(self.file("kubeconfig", NOWHERE))}

    def file(self, name: str, content: object) -> Path:
        path = self.scratch / name
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Toolchain().path("argocd"), "admin", *words],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def may(self, settings: Settings, who: str, right: str) -> bool:
        """Whether `who` has a right, written as `<action> <resource> <object>`."""
        policy = self.file(
            "policy.csv",
            argocd_rbac.policy(settings.catalogue, owners_sync=settings.speed.owners_sync),
        )
        words = ("settings", "rbac", "can", who, *right.split())
        answer = self.run(*words, "--policy-file", policy, "--default-role", "")
        assert answer.stdout.strip() in {"Yes", "No"}, answer.stderr
        return answer.stdout.strip() == "Yes"


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    return Admin(tmp_path)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_argo_cd_accepts_the_policy(admin: Admin, stack: str) -> None:
    policy = admin.file(
        "policy.csv",
        argocd_rbac.policy(
            load_files(stack, CHECKOUT).catalogue,
            owners_sync=load_files(stack, CHECKOUT).speed.owners_sync,
        ),
    )
    answer = admin.run("settings", "rbac", "validate", "--policy-file", policy)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("stack", "who", "right", "allowed"),
    [
        ("dev", "acme:gaming", "sync applications community/tournaments", True),
        ("dev", "acme:gaming", "get logs community/tournaments", True),
        ("dev", "acme:gaming", "sync applications streaming/tv-api", False),
        ("dev", "acme:gaming", "get applications streaming/tv-api", False),
        ("dev", "acme:gaming", "override applications community/tournaments", False),
        ("dev", "acme:releasers", "sync applications community/tournaments", False),
        ("prod", "acme:gaming", "get applications community/tournaments", True),
        ("prod", "acme:gaming", "sync applications community/tournaments", False),
        ("prod", "acme:releasers", "sync applications community/tournaments", True),
        ("prod", "acme:releasers", "sync applications streaming/tv-api", True),
        ("prod", "acme:releasers", "sync applications default/anything", False),
        ("prod", "acme:releasers", "override applications streaming/tv-api", False),
        ("prod", "acme:releasers", "update applications streaming/tv-api", False),
        ("prod", "acme:releasers", "delete applications streaming/tv-api", False),
        ("prod", "acme:releasers", "create applications streaming/tv-api", False),
        ("prod", "acme:releasers", "rollback applications streaming/tv-api", False),
        ("prod", "acme:releasers", "create exec streaming/tv-api", False),
        ("prod", "acme:releasers", "update projects streaming", False),
        ("prod", "somebody", "get applications streaming/tv-api", False),
    ],
)
def test_argo_cd_decides_as_we_mean_it(
    admin: Admin, stack: str, who: str, right: str, allowed: bool
) -> None:
    assert admin.may(load_files(stack, CHECKOUT), who, right) is allowed


@pytest.mark.parametrize("client", ["argocd", "y", "2e2"])
def test_argo_cd_reads_how_people_sign_in(admin: Admin, client: str) -> None:
    sso = Sso.model_validate({"issuer": "https://id.example", "clientId": client})
    installation = wiring.argocd_installation(load_files("prod", CHECKOUT), frozenset())
    config = installation.config.model_copy(update={"sso": sso})
    data = argocd_values.config_map(replace(installation, config=config))
    cm = {"metadata": {"name": "argocd-cm"}, "data": data}
    secret = {"metadata": {"name": "argocd-secret"}, "data": {"server.secretkey": "eA=="}}
    answer = admin.run(
        "settings",
        "validate",
        "--group=general",
        f"--argocd-cm-path={admin.file('cm.yaml', cm)}",
        f"--argocd-secret-path={admin.file('secret.yaml', secret)}",
    )
    assert "OIDC is configured" in answer.stdout, answer.stdout + answer.stderr


def application(status: dict[str, Any], *, automated: bool = False) -> dict[str, Any]:
    """tv-api, with that status."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "tv-api", "namespace": "argocd"},
        "spec": {
            "destination": {"namespace": "streaming"},
            "syncPolicy": {"automated": {"prune": True}} if automated else {},
        },
        "status": status,
    }


@pytest.fixture
def configuration(admin: Admin) -> Path:
    """argocd-notifications-cm of prod, with a webhook."""
    settings = load_files("prod", CHECKOUT)
    channels = Notifications.model_validate({"webhook": "https://hook.example"})
    argo_cd = settings.config.argocd.model_copy(update={"notifications": channels})
    config = settings.config.model_copy(update={"argocd": argo_cd})
    loud = replace(settings, environment=replace(settings.environment, config=config))
    said = notifications.notifications(
        loud.config.argocd.notifications, environment=loud.stack, secrets=()
    )
    context = {"argocdUrl": "https://argocd.example", **said["context"]}
    return admin.file(
        "argocd-notifications-cm.yaml",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "argocd-notifications-cm", "namespace": "argocd"},
            "data": {
                "context": yaml.safe_dump(context),
                **said["notifiers"],
                **said["templates"],
                **said["triggers"],
            },
        },
    )


OUT_OF_SYNC = {"sync": {"status": "OutOfSync", "revision": "abc"}, "health": {"status": "Healthy"}}
DEPLOYED = {
    "sync": {"status": "Synced", "revision": "abc"},
    "health": {"status": "Healthy"},
    "operationState": {"phase": "Succeeded", "syncResult": {"revision": "abc"}},
    "summary": {"images": ["registry.example/streaming/tv-api:v20250819-f3b8541"]},
}


@pytest.mark.parametrize(
    ("trigger", "app", "expected"),
    [
        ("waiting-for-approval", application(OUT_OF_SYNC), True),
        ("waiting-for-approval", application(OUT_OF_SYNC, automated=True), False),
        (
            "waiting-for-approval",
            application({**OUT_OF_SYNC, "operationState": {"phase": "Running"}}),
            False,
        ),
        ("waiting-for-approval", application(DEPLOYED), False),
        ("on-deployed", application(DEPLOYED), True),
        ("on-deployed", application(OUT_OF_SYNC), False),
        ("on-deployed", application({}), False),
        ("on-health-degraded", application({"health": {"status": "Degraded"}}), True),
        ("on-health-degraded", application(DEPLOYED), False),
        ("on-sync-failed", application({"operationState": {"phase": "Failed"}}), True),
        ("on-sync-failed", application({"operationState": {"phase": "Error"}}), True),
        ("on-sync-failed", application(DEPLOYED), False),
    ],
)
def test_argo_cd_tells_when_we_mean_it_to(
    admin: Admin, configuration: Path, trigger: str, app: dict[str, Any], expected: bool
) -> None:
    answer = admin.run(
        "notifications",
        "trigger",
        "run",
        trigger,
        admin.file("application.yaml", app),
        f"--config-map={configuration}",
        "--secret=:empty",
    )
    results = [line.split()[-1] for line in answer.stdout.splitlines()[1:] if line]
    assert results == [str(expected).lower()], answer.stdout + answer.stderr


@pytest.mark.parametrize("event", [event.name for event in notifications.EVENTS])
def test_argo_cd_words_every_message(admin: Admin, configuration: Path, event: str) -> None:
    answer = admin.run(
        "notifications",
        "template",
        "notify",
        event,
        admin.file("application.yaml", application(DEPLOYED)),
        "--recipient=console:stdout",
        f"--config-map={configuration}",
        "--secret=:empty",
    )
    message = yaml.safe_load(answer.stdout)
    assert message["message"].startswith("tv-api "), answer.stderr
    assert json.loads(message["webhook"]["platform"]["body"]) == {
        "event": event,
        "service": "tv-api",
        "namespace": "streaming",
        "environment": "prod",
        "revision": "abc",
        "runs": "registry.example/streaming/tv-api:v20250819-f3b8541",
        "url": "https://argocd.example/applications/argocd/tv-api",
    }
