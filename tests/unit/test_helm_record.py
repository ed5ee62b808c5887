"""What a killed run left of a Helm release's record is removed before the next one begins."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kubernetes.client import CoreV1Api
from pulumi import ResourceHookArgs, ResourceOptions

from components import wiring
from components.argocd.argocd import ArgoCd
from components.helm import record as helm_record
from settings.environment import Settings
from settings.pulumi_config import load_secrets
from tests.unit.clusters import a_cluster
from tests.unit.recording import Recorded, record

RELEASE = "kubernetes:helm.sh/v3:Release"


class Secrets:
    """Secrets of one namespace, as the API lists them by Helm's labels and deletes them."""

    def __init__(self, **status_of: str) -> None:
        self.status_of = status_of
        self.asked: list[tuple[str, str]] = []

    def list_namespaced_secret(self, namespace: str, *, label_selector: str) -> Any:
        self.asked.append((namespace, label_selector))
        return SimpleNamespace(items=self._matching(label_selector))

    def delete_collection_namespaced_secret(self, namespace: str, *, label_selector: str) -> None:
        assert namespace == "argocd"
        for name in self._matching(label_selector):
            del self.status_of[name]

    def _matching(self, selector: str) -> list[str]:
        _, _, wanted = selector.partition("status in ")
        statuses = wanted.strip("()").split(",")
        return [name for name, status in self.status_of.items() if not wanted or status in statuses]


def release(settings: Settings, *, owned: bool = True) -> Recorded:
    def program() -> None:
        args = wiring.argocd(settings, a_cluster(owned=owned), load_secrets())
        ArgoCd("argocd", args, ResourceOptions())

    return record(program, stack=settings.stack).one(RELEASE)


def run(moment: str, installed: Recorded, secrets: Secrets, patch: pytest.MonkeyPatch) -> None:
    def core_api(kubeconfig: str) -> CoreV1Api:
        assert kubeconfig == "{}"
        return cast(CoreV1Api, secrets)

    patch.setattr(helm_record, "core_api", core_api)
    new = {"name": installed.inputs["name"], "namespace": installed.inputs["namespace"]}
    args = ResourceHookArgs(urn=installed.urn, id="", name="", type=RELEASE, new_inputs=new)

    async def call() -> None:
        done = installed.hooks[moment](args)
        assert done is not None
        await done

    asyncio.run(call())


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is shown as a warning."""
    shown: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", shown.append)
    return shown


def test_a_release_that_pulumi_does_not_know_of_leaves_no_record(
    prod: Settings, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    secrets = Secrets(v1="superseded", v2="deployed", v3="pending-upgrade")
    run("before_create", release(prod), secrets, monkeypatch)
    assert secrets.status_of == {}
    assert secrets.asked == [("argocd", "owner=helm,name=argocd")]
    assert warnings == [
        "removed Helm's record of argocd in the namespace argocd: a run was killed before it could "
        "finish it"
    ]


def test_an_update_keeps_what_it_starts_from(
    prod: Settings, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    secrets = Secrets(v1="superseded", v2="deployed", v3="pending-upgrade")
    run("before_update", release(prod), secrets, monkeypatch)
    assert secrets.status_of == {"v1": "superseded", "v2": "deployed"}
    assert secrets.asked == [
        (
            "argocd",
            "owner=helm,name=argocd,status in (pending-install,pending-upgrade,pending-rollback)",
        )
    ]
    assert len(warnings) == 1


def test_a_release_that_was_finished_is_left_as_it_is(
    prod: Settings, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    secrets = Secrets(v1="superseded", v2="deployed")
    run("before_update", release(prod), secrets, monkeypatch)
    assert secrets.status_of == {"v1": "superseded", "v2": "deployed"}
    assert warnings == []


def test_the_cluster_is_the_one_that_the_kubeconfig_names() -> None:
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "dev", "user": "dev"}}],
        "clusters": [{"name": "dev", "cluster": {"server": "https://dev.example"}}],
        "users": [{"name": "dev", "user": {}}],
    }
    api = helm_record.core_api(json.dumps(kubeconfig))
    assert isinstance(api, CoreV1Api)
    assert api.api_client.configuration.host == "https://dev.example"


def test_in_somebody_elses_cluster_no_record_is_touched(prod: Settings) -> None:
    assert release(prod, owned=False).hooks == {}
