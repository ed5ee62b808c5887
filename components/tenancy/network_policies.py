"""Who may call the pods of a namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settings.tenancy import Tenant

_NAME = "kubernetes.io/metadata.name"
"""The label that Kubernetes itself puts on each namespace."""
_WORKLOAD = "app.kubernetes.io/name"


def network_policies(tenant: Tenant) -> Iterator[tuple[str, Any]]:
    """Each NetworkPolicy by its name; what none of them allows is refused."""
    own: list[dict[str, Any]] = [{"pod_selector": {}}]
    if tenant.callers:
        own.append({"namespace_selector": _among(_NAME, tenant.callers)})
    # Webhooks of a package are called from outside of the cluster.
    guarded = _among(_WORKLOAD, tenant.workloads) if tenant.packages else {}
    yield "callers", _policy(guarded, {"from_": own})
    if tenant.reachable:
        # A load balancer's address is no pod's, and differs by controller.
        selected = _among(_WORKLOAD, tenant.reachable)
        yield "ingress", _policy(selected, {"ports": [{"port": "http", "protocol": "TCP"}]})


def _policy(pods: dict[str, Any], allowed: dict[str, Any]) -> dict[str, Any]:
    return {"pod_selector": pods, "policy_types": ["Ingress"], "ingress": [allowed]}


def _among(label: str, values: tuple[str, ...]) -> dict[str, Any]:
    return {"match_expressions": [{"key": label, "operator": "In", "values": list(values)}]}
