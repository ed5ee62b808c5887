"""What a pod template says, resolved as a kubelet resolves it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from lab import pod
from lab.pod import UnresolvedError, Workload
from lab.programs import addresses, programs
from lab.site import CLUSTER_PORTS, KEEL_PORT, Site

MAPS = {
    ("configmaps", "argocd-cm"): {"data": {"timeout.reconciliation": "30s"}},
    ("configmaps", "empty"): {},
    ("secrets", "argocd-redis"): {"data": {"auth": base64.b64encode(b"hush").decode()}},
}


def lookup(kind: str, name: str) -> pod.Object | None:
    return MAPS.get((kind, name))


def deployment(**container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "argocd-server", "namespace": "argocd", "generation": 4},
        "spec": {
            "replicas": 2,
            "template": {
                "metadata": {"annotations": {"checksum/cm": "1"}},
                "spec": {
                    "serviceAccountName": "argocd-server",
                    "containers": [{"name": "server", **container}],
                },
            },
        },
    }


def variables(*env: dict[str, Any], **container: Any) -> dict[str, str]:
    return pod.variables(Workload.of(deployment(env=list(env), **container)), lookup)


def reference(field: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {field: {"name": name, "key": key, **more}}}


def test_values_come_from_the_template_maps_secrets_and_fields() -> None:
    assert variables({"name": "X", "value": "plain"}) == {"X": "plain"}
    assert variables(reference("configMapKeyRef", "argocd-cm", "timeout.reconciliation")) == {
        "X": "30s"
    }
    assert variables(reference("secretKeyRef", "argocd-redis", "auth")) == {"X": "hush"}
    assert variables(
        {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    ) == {"X": "argocd"}


@pytest.mark.parametrize(
    ("name", "key"), [("argocd-cm", "absent"), ("absent", "any"), ("empty", "any")]
)
def test_what_is_missing_and_optional_is_left_out(name: str, key: str) -> None:
    assert variables(reference("configMapKeyRef", name, key, optional=True)) == {}


@pytest.mark.parametrize(("name", "key"), [("argocd-cm", "absent"), ("absent", "any")])
def test_what_is_missing_and_required_keeps_the_pod_waiting_by_name(name: str, key: str) -> None:
    with pytest.raises(UnresolvedError, match=f"X needs the key {key} in configmap {name}"):
        variables(reference("configMapKeyRef", name, key))


def test_a_kind_of_value_that_is_not_played_is_never_dropped_silently() -> None:
    with pytest.raises(UnresolvedError, match="resourceFieldRef"):
        variables({"name": "X", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}})
    with pytest.raises(UnresolvedError, match=r"spec\.unknown"):
        variables({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.unknown"}}})


def test_env_wins_over_env_from() -> None:
    whole = {"secretRef": {"name": "argocd-redis"}, "prefix": "REDIS_"}

    assert variables(envFrom=[whole]) == {"REDIS_auth": "hush"}
    assert variables({"name": "REDIS_auth", "value": "x"}, envFrom=[whole]) == {"REDIS_auth": "x"}


def test_a_missing_map_of_env_from_keeps_the_pod_waiting() -> None:
    with pytest.raises(UnresolvedError, match="secret absent does not exist"):
        variables(envFrom=[{"secretRef": {"name": "absent"}}])
    assert variables(envFrom=[{"secretRef": {"name": "absent", "optional": True}}]) == {}


def test_arguments_use_the_variables_and_leave_the_programs_name_out() -> None:
    workload = Workload.of(deployment(args=["/usr/local/bin/argocd-server", "--port=8080"]))
    redis = Workload.of(deployment(args=["--requirepass", "$(PASSWORD)", "$$(KEPT)", "$(UNKNOWN)"]))
    keel = Workload.of(deployment(command=["/bin/keel", "--ui"], args=["--more"]))

    assert pod.arguments(workload, {}) == ["--port=8080"]
    assert pod.arguments(redis, {"PASSWORD": "hush"}) == [
        "--requirepass",
        "hush",
        "$(KEPT)",
        "$(UNKNOWN)",
    ]
    assert pod.arguments(keel, {}) == ["--ui", "--more"]


def _annotate(body: dict[str, Any]) -> None:
    body["spec"]["template"]["metadata"]["annotations"]["checksum/cm"] = "2"


def _set_image(body: dict[str, Any]) -> None:
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "argocd:v4"


def _scale(body: dict[str, Any]) -> None:
    body["spec"]["replicas"] = 5


def _label(body: dict[str, Any]) -> None:
    body["metadata"]["labels"] = {"a": "b"}


@pytest.mark.parametrize(
    ("change", "restarts"),
    [(_annotate, True), (_set_image, True), (_scale, False), (_label, False)],
)
def test_a_process_starts_anew_exactly_when_its_pod_template_changes(
    change: Callable[[dict[str, Any]], None], restarts: bool
) -> None:
    before = deployment(args=["--port=8080"])
    after = deepcopy(before)
    change(after)

    assert (Workload.of(before).revision != Workload.of(after).revision) is restarts


def test_every_program_has_a_port_of_its_own_site() -> None:
    site = Site(home=Path("/nowhere"), port_base=21000)
    own = {site.port(name, "dev") for name in CLUSTER_PORTS}

    ports = [program.port for program in programs(site, "dev").values() if program.port]

    assert len(set(ports)) == len(ports)
    assert set(ports) <= own | {KEEL_PORT}


def test_cluster_addresses_lead_to_the_processes_of_the_same_environment() -> None:
    site = Site(home=Path("/nowhere"), port_base=21000)

    assert addresses(site, "dev")["argocd-redis:6379"] == f"127.0.0.1:{site.port('redis', 'dev')}"
    assert addresses(site, "prod") != addresses(site, "dev")
