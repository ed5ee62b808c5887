"""The kinds of objects that Git may declare in a namespace: one list for projects and releases.

Argo CD's project of a namespace allows these; a release and the check of a pull request refuse
everything else before Argo CD does.
"""

from __future__ import annotations

Kind = tuple[str, str]
"""API group (empty for the core one) and kind."""

DECLARED: tuple[Kind, ...] = (
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("external-secrets.io", "ExternalSecret"),
    ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
)
"""What a service may need in its own namespace.

No Secret, because a secret in Git is none; no Role or RoleBinding, because whoever writes to Git
would then grant rights in the cluster; no quota, because the platform sets those.
"""

DESCENDANTS: tuple[Kind, ...] = (
    ("", "Event"),
    ("", "Pod"),
    ("apps", "ControllerRevision"),
    ("apps", "ReplicaSet"),
)
"""What the cluster makes of it. Argo CD shows only kinds that the project allows: without these
nobody would see a service's pods, images and logs. Git may not declare them."""


def declared(namespace: str) -> tuple[Kind, ...]:
    """What Git may declare in `namespace`, sorted by group and kind; the same in all of them."""
    del namespace
    return tuple(sorted(DECLARED))


def allowed(namespace: str) -> tuple[Kind, ...]:
    """What Argo CD's project of `namespace` allows: what is declared, and what comes of it."""
    return tuple(sorted(declared(namespace) + DESCENDANTS))
