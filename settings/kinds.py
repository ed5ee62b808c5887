"""The kinds of objects that Git may declare in a namespace: one list for projects and releases.

Argo CD's project of a namespace allows these; a release and the check of a pull request refuse
everything else before Argo CD does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

from settings.model import Matching

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

No Secret, because Git can be read; no Role or RoleBinding, because a writer to Git would then grant
rights in the cluster; no quota, because the platform sets those.
"""

DESCENDANTS: tuple[Kind, ...] = (
    ("", "Event"),
    ("", "Pod"),
    ("apps", "ControllerRevision"),
    ("apps", "ReplicaSet"),
)
"""What controllers create from it. Argo CD shows only kinds that the project allows; without these
it would show no pods, images and logs of a service. Git may not declare them."""


NEVER: tuple[Kind, ...] = (
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("external-secrets.io", "ClusterExternalSecret"),
    ("external-secrets.io", "ClusterPushSecret"),
    ("external-secrets.io", "ClusterSecretStore"),
    ("external-secrets.io", "PushSecret"),
    ("external-secrets.io", "SecretStore"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""What no namespace may add: with these a writer of the Git repository could grant rights."""
_NEVER_GROUPS = frozenset({"generators.external-secrets.io"})
"""Groups of which no kind may be added, for the same reason."""


def _addable(text: str) -> str:
    if kind_of(text) in NEVER or kind_of(text)[0] in _NEVER_GROUPS:
        raise ValueError(
            "would let every writer of the Git repository grant rights in the cluster; declare it "
            "in this program"
        )
    if kind_of(text) in DECLARED:
        raise ValueError("may be declared in every namespace; leave it out")
    return text


AddedKind = Annotated[
    str,
    Matching(
        r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/[A-Z][A-Za-z0-9]{0,62}",
        "must be a kind with its API group, such as gateway.networking.k8s.io/HTTPRoute",
    ),
    AfterValidator(_addable),
]

NEVER_OF_A_PACKAGE: tuple[Kind, ...] = tuple(k for k in NEVER if k[0] == "argoproj.io")
"""What no package may have: by these it would deploy whatever it likes."""
CLUSTER_WIDE: tuple[Kind, ...] = (
    ("", "Namespace"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("networking.k8s.io", "IngressClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "StorageClass"),
)
"""Kinds of Kubernetes itself whose objects belong to no namespace, that packages bring."""


def _of_a_package(text: str) -> str:
    if kind_of(text) in NEVER_OF_A_PACKAGE:
        raise ValueError("would let the package deploy whatever it likes; remove it")
    return text


def _in_a_namespace(text: str) -> str:
    if kind_of(text) in DECLARED:
        raise ValueError("may be declared in every namespace; leave it out")
    if kind_of(text) in CLUSTER_WIDE:
        raise ValueError("belongs to no namespace; write it under clusterKinds")
    return _of_a_package(text)


def _of_the_cluster(text: str) -> str:
    if kind_of(text) in (*DECLARED, ("", "Secret"), *NEVER):
        raise ValueError("belongs to a namespace; write it under kinds")
    return _of_a_package(text)


_ANY_KIND = Matching(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Z][A-Za-z0-9]{0,62}",
    "must be a kind with its API group, such as rbac.authorization.k8s.io/Role; the core group "
    "has no name: Secret",
)
PackageKind = Annotated[str, _ANY_KIND, AfterValidator(_in_a_namespace)]
ClusterKind = Annotated[str, _ANY_KIND, AfterValidator(_of_the_cluster)]


def kind_of(text: str) -> Kind:
    """`group/Kind` as a kind."""
    group, _, kind = text.rpartition("/")
    return group, kind


def declared(added: Iterable[str] = ()) -> tuple[Kind, ...]:
    """What Git may declare in a namespace that adds some kinds, sorted by group and kind."""
    return tuple(sorted({*DECLARED, *map(kind_of, added)}))


def allowed(added: Iterable[str] = ()) -> tuple[Kind, ...]:
    """What Argo CD's project of the namespace allows: what is declared, and what comes of it."""
    return tuple(sorted({*declared(added), *DESCENDANTS}))
