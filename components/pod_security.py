"""The Pod Security level of every namespace that the program makes. Pure."""

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""Labels that keep out pods that run as root, escalate privileges or reach for the host."""
