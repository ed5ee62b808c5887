"""What the Kubernetes objects of several components have in common. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""Labels that keep out pods that run as root, escalate privileges or reach for the host."""
OF_THE_PLATFORM = "platform-"
"""Begins the names of objects in teams' namespaces whose kinds teams may have too."""
RBAC = "rbac.authorization.k8s.io"
"""The API group of roles and bindings."""


def matched(
    rules: Sequence[Mapping[str, Any]] = (), namespaces: Sequence[str] = ()
) -> dict[str, Any]:
    """What an admission policy or its binding looks at; in all namespaces unless some are given.

    The API server takes this as one piece and fills in what is left out. With all of it written
    out, a second apply after one that was killed is no conflict with the first.
    """
    named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    return {
        "match_policy": "Equivalent",
        "namespace_selector": {"match_expressions": [named]} if namespaces else {},
        "object_selector": {},
        **({"resource_rules": [{**rule, "scope": "*"} for rule in rules]} if rules else {}),
    }
