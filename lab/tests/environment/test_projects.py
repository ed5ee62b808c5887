"""What a project keeps out: Argo CD itself refuses Applications that go beyond their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.kubectl import Kubectl
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty

Change = Callable[[dict[str, Any]], None]

BEYOND: dict[str, tuple[Change, str]] = {
    "the default project": (
        lambda spec: spec.update(project="default"),
        "is not permitted in project 'default'",
    ),
    "another repository": (
        lambda spec: spec["source"].update(repoURL="https://github.com/evil/gitops.git"),
        "is not permitted in project 'streaming'",
    ),
    "a namespace of somebody else": (
        lambda spec: spec["destination"].update(namespace="community"),
        "do not match any of the allowed destinations in project 'streaming'",
    ),
    "a namespace of the cluster": (
        lambda spec: spec["destination"].update(namespace="kube-system"),
        "do not match any of the allowed destinations in project 'streaming'",
    ),
}


@pytest.fixture
def stray(lab: Lab) -> Iterator[Kubectl]:
    kubectl = lab.kubectl("dev")
    yield kubectl
    kubectl("delete", "--namespace=argocd", "application", "stray", "--ignore-not-found")


@pytest.mark.parametrize(("change", "words"), BEYOND.values(), ids=BEYOND.keys())
def test_an_application_that_goes_beyond_its_project_is_refused(
    stray: Kubectl, change: Change, words: str
) -> None:
    spec = stray.get("--namespace=argocd", "application", "tv-api")["spec"]
    change(spec)
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "stray", "namespace": "argocd"},
        "spec": spec,
    }
    stray("apply", "--filename=-", stdin=json.dumps(application))

    def not_refused() -> str:
        status = stray.get("--namespace=argocd", "application", "stray").get("status", {})
        problems = " ".join(one["message"] for one in status.get("conditions", []))
        return "" if words in problems else f"{words!r} in {problems!r}"

    wait_until_empty("Argo CD's refusal", not_refused)
    status = stray.get("--namespace=argocd", "application", "stray")["status"]
    assert "operationState" not in status, "it was synced all the same"
