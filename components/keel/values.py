"""Keel's values and rights. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components import policies
from settings.catalogue import Catalogue
from settings.keel import KeelConfig

NAMESPACE = "keel"
SERVICE_ACCOUNT = "keel"
PORT = 9300
"""Of its webhooks, its health and its metrics alike."""
WORKLOADS = {"apps": ["daemonsets", "deployments", "statefulsets"], "batch": ["cronjobs"]}
"""What Keel watches: it keeps asking for all four kinds, so it may list all four."""


def served(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """The services that Keel delivers, by namespace, sorted."""
    by_namespace: dict[str, tuple[str, ...]] = {}
    for namespace, name, _ in catalogue.delivered_by("keel"):
        by_namespace[namespace] = (*by_namespace.get(namespace, ()), name)
    return by_namespace


def values(keel: KeelConfig, *, region: str, namespaces: Sequence[str]) -> dict[str, Any]:
    """The chart's values, for a Keel that serves `namespaces` from a registry in `region`."""
    data = {"name": "data", "emptyDir": {"sizeLimit": "256Mi"}}
    return {
        "polling": {"enabled": True, "defaultSchedule": keel.schedule},
        "aws": {"region": region},
        # Debug logs would show registry tokens.
        "debug": False,
        "notificationLevel": "info",
        # The Applications are Argo CD's: no Helm release here is Keel's to upgrade.
        "helmProvider": {"enabled": False},
        # Registry rights come by EKS Pod Identity, so no key is stored.
        "ecr": {"enabled": False},
        # No Service: it polls, takes no webhooks and shows no dashboard.
        "service": {"enabled": False},
        "ingress": {"enabled": False},
        "basicauth": {"enabled": False},
        # The chart's rights reach every Secret and pod of the cluster; see cluster_rules().
        "rbac": {"enabled": False, "serviceAccount": {"create": True}},
        # No volume: approvals are not used, and digests are read from the running pods.
        "persistence": {"enabled": False},
        "secret": {"create": False},
        "extraEnv": [{"name": "RESTRICTED_NAMESPACE", "value": one} for one in _only(namespaces)],
        "extraVolumes": [data],
        "extraVolumeMounts": [{"name": "data", "mountPath": "/data"}],
        "podSecurityContext": {
            "runAsNonRoot": True,
            "runAsUser": 666,
            "fsGroup": 666,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containerSecurityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "25m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        **({"podAnnotations": SCRAPED} if keel.metrics_from else {}),
    }


SCRAPED = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": str(PORT),
    "prometheus.io/path": "/metrics",
}
"""It has no Service: whoever scrapes finds its pod by these."""


def network_policy(keel: KeelConfig) -> Any:
    """The `spec` of its NetworkPolicy: nobody reaches its webhooks, which ask for no password,
    but whom the stack lets read its metrics."""
    closed = {"pod_selector": {}, "policy_types": ["Ingress"]}
    if not keel.metrics_from:
        return closed
    named = {
        "key": "kubernetes.io/metadata.name",
        "operator": "In",
        "values": keel.metrics_from,
    }
    peers = [{"namespace_selector": {"match_expressions": [named]}}]
    return closed | {"ingress": [{"from_": peers, "ports": [{"port": PORT}]}]}


def cluster_rules(namespaces: Sequence[str]) -> list[dict[str, list[str]]]:
    """What Keel may do everywhere: see which architecture the nodes have and, when it serves
    several namespaces, watch workloads: it watches either one namespace or all of them."""
    nodes = {"api_groups": [""], "resources": ["nodes"], "verbs": ["list"]}
    return [nodes, *([] if _only(namespaces) else _workloads("list", "watch"))]


def namespace_rules() -> list[dict[str, list[str]]]:
    """What Keel may do in a namespace that it serves: roll workloads, and see which digests
    their pods run. Secrets are not among it."""
    pods = {"api_groups": [""], "resources": ["pods"], "verbs": ["list"]}
    return [*_workloads("get", "list", "watch", "update"), pods]


def pull_policy(repository_arns: Sequence[str]) -> str:
    """The IAM policy with which Keel reads tags and digests of the images that it serves."""
    sign_in = policies.allow("SignIn", ["ecr:GetAuthorizationToken"], ["*"])  # knows no resources
    read = policies.allow(
        "ReadTagsAndDigests",
        ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:ListImages"],
        sorted(repository_arns),
    )
    return policies.document(sign_in, *([read] if repository_arns else []))


def _only(namespaces: Sequence[str]) -> Sequence[str]:
    """The namespace that limits Keel, if it serves only one."""
    return namespaces if len(namespaces) == 1 else ()


def _workloads(*verbs: str) -> list[dict[str, list[str]]]:
    return [
        {"api_groups": [group], "resources": resources, "verbs": list(verbs)}
        for group, resources in WORKLOADS.items()
    ]
