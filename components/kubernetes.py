"""What the Kubernetes objects of several components have in common. Pure."""

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""Labels that keep out pods that run as root, escalate privileges or reach for the host."""
OF_THE_PLATFORM = "platform-"
"""Begins the names of objects in teams' namespaces whose kinds teams may have too."""
RBAC = "rbac.authorization.k8s.io"
"""The API group of roles and bindings."""
