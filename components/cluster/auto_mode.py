"""EKS Auto Mode as data: what it may do, and the objects that describe its nodes.

Source: Amazon EKS User Guide, "EKS Auto Mode"; Karpenter's NodePool, v1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from settings.nodes import NodePool

CONTROL_PLANE_POLICIES = (
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)
"""What AWS does in the account for a cluster in Auto Mode, beside what it does for each."""
NODE_POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
"""Rights of a node: tokens for its pods, and images."""
NODE_ACCESS = "AmazonEKSAutoNodePolicy"
"""The access policy with which nodes join the cluster."""
NETWORK_POLICIES: Mapping[str, Any] = MappingProxyType(
    {
        "metadata": {"name": "amazon-vpc-cni", "namespace": "kube-system"},
        "data": {"enable-network-policy-controller": "true"},
    }
)
"""The ConfigMap without which NetworkPolicies do nothing."""
API = "eks.amazonaws.com"
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
_CAPACITY = {"on-demand": ["on-demand"], "spot": ["spot", "on-demand"]}
_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_LIFETIME = "336h"
"""After this a node is replaced by one with the newest image; AWS allows 21 days."""
_FAREWELL = "24h"
"""How long disruption budgets can hold up a node that is to go."""


def node_class(
    pool: NodePool, *, role: str, subnets: list[str], security_group: str
) -> dict[str, Any]:
    """The `spec` of the NodeClass: where nodes are, and as what.

    role: the name of the nodes' IAM role; subnets and security_group: ids.
    """
    return {
        "role": role,
        "subnetSelectorTerms": [{"id": subnet} for subnet in subnets],
        "securityGroupSelectorTerms": [{"id": security_group}],
        "ephemeralStorage": {"size": f"{pool.disk_gib}Gi"},
        "networkPolicy": "DefaultAllow",
    }


def node_pool(pool: NodePool) -> dict[str, Any]:
    """The `spec` of the NodePool: which nodes, how many, and when they go."""
    return {
        "template": {
            "metadata": {"labels": {"node-group": pool.name, **pool.labels}},
            "spec": {
                "nodeClassRef": {"group": API, "kind": "NodeClass", "name": pool.name},
                "requirements": [
                    _among("karpenter.sh/capacity-type", _CAPACITY[pool.capacity]),
                    _among("kubernetes.io/arch", [_ARCHITECTURES[pool.processor]]),
                    _among("kubernetes.io/os", ["linux"]),
                    _among(f"{API}/instance-category", ["c", "m", "r"]),
                    {"key": f"{API}/instance-generation", "operator": "Gt", "values": ["4"]},
                ],
                "taints": [
                    {"key": taint.key, "effect": _EFFECTS[taint.effect]}
                    | ({"value": taint.value} if taint.value else {})
                    for taint in pool.taints
                ],
                "expireAfter": _LIFETIME,
                "terminationGracePeriod": _FAREWELL,
            },
        },
        "limits": {"cpu": str(pool.max_cpus)},
        "disruption": {
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": "30s",
            "budgets": [{"nodes": "10%"}],
        },
    }


def _among(key: str, values: list[str]) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": values}
