"""Argo CD's projects and Applications, and the namespaces they live in, as manifests. Pure."""

from __future__ import annotations

from typing import Any

from components.pod_security import RESTRICTED
from settings import Settings
from settings.catalogue import Service
from settings.stack import SyncWindow

IN_CLUSTER = "https://kubernetes.default.svc"
"""The cluster that Argo CD runs in; it manages no other."""

CASCADE = "resources-finalizer.argocd.argoproj.io"
"""With it, who deletes an Application deletes what it deployed."""

KINDS = (
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
"""What Git may declare, as (API group, kind).

No Secret, because a secret in Git is none; no Role or RoleBinding, because whoever writes to Git
would then grant rights in the cluster; no quota, because the platform sets those.
"""

DESCENDANTS = (
    ("", "Event"),
    ("", "Pod"),
    ("apps", "ControllerRevision"),
    ("apps", "ReplicaSet"),
)
"""What the cluster makes of it. Argo CD shows only kinds that the project allows: without these
nobody would see a service's pods, images and logs."""

SYNC_OPTIONS = (
    # Touch only what differs: moving a version does not apply the whole service again.
    "ApplyOutOfSyncOnly=true",
    # Two Applications that declare the same object fail instead of fighting over it.
    "FailOnSharedResource=true",
    # What left Git goes after everything new is healthy.
    "PruneLast=true",
    # A sync for another reason does not put back what is ignored.
    "RespectIgnoreDifferences=true",
)
"""Replace=true is not among them: it would undo what Keel wrote, and recreates objects.
ServerSideApply neither: the diff that leaves Keel's fields alone is the client's."""


SCALED_BY_THE_CLUSTER = tuple(
    {"group": "apps", "kind": kind, "managedFieldsManagers": ["kube-controller-manager"]}
    for kind in ("Deployment", "StatefulSet")
)
"""Replicas belong to a HorizontalPodAutoscaler where there is one: the field is then the
controller's, and no difference that Argo CD heals or somebody has to approve. Replicas that a
person set by hand are still put back."""


def namespace_metadata(settings: Settings, namespace: str) -> dict[str, Any]:
    """Metadata of a namespace: restricted pods only, and who owns what is in it."""
    services = settings.catalogue.namespaces[namespace].services.values()
    owners = sorted({service.owner for service in services})
    return {
        "name": namespace,
        "labels": {**RESTRICTED, "environment": settings.stack},
        "annotations": {"owners": ",".join(owners)},
    }


def project_spec(settings: Settings, namespace: str) -> dict[str, Any]:
    """The AppProject of a namespace: one repository, one destination, harmless kinds."""
    windows = [_window(window) for window in settings.config.argocd.sync_windows]
    return {
        "description": f"{namespace} on {settings.stack}",
        "sourceRepos": [settings.config.gitops.url],
        "destinations": [{"server": IN_CLUSTER, "namespace": namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [
            {"group": group, "kind": kind} for group, kind in sorted(KINDS + DESCENDANTS)
        ],
        # Says what nobody declares, such as leftovers of an Application that was deleted.
        "orphanedResources": {"warn": True},
        **({"syncWindows": windows} if windows else {}),
    }


DEFAULT_PROJECT = {
    "description": "Takes nothing: every Application belongs to the project of its namespace",
    "sourceRepos": [],
    "destinations": [],
    "clusterResourceWhitelist": [],
}
"""The project that Argo CD makes by itself, where it takes everything from everywhere."""


def application_metadata(
    settings: Settings, namespace: str, name: str, service: Service
) -> dict[str, Any]:
    """Metadata of a service's Application.

    Where deletion must be deliberate, deleting the Application leaves the workloads running.
    """
    return {
        "name": name,
        "labels": {"team": service.owner, "environment": settings.stack},
        "annotations": {
            # A push that touches neither folder does not concern this Application.
            "argocd.argoproj.io/manifest-generate-paths": (
                f"/{_base(namespace, name)};/{_overlay(settings, namespace, name)}"
            )
        },
        **({} if settings.speed.protected else {"finalizers": [CASCADE]}),
    }


def application_spec(
    settings: Settings, namespace: str, name: str, service: Service
) -> dict[str, Any]:
    """The Application of a service. Without automated sync, the key `automated` is absent."""
    return {
        "project": namespace,
        "source": _source(settings, namespace, name, service),
        "destination": {"server": IN_CLUSTER, "namespace": namespace},
        "syncPolicy": {
            **({"automated": {"prune": True, "selfHeal": True}} if _automated(settings) else {}),
            "retry": _retry(settings),
            "syncOptions": list(SYNC_OPTIONS),
        },
        "ignoreDifferences": list(SCALED_BY_THE_CLUSTER),
        # Who applied what now runs, and nothing to roll back to: that goes through Git.
        "revisionHistoryLimit": 1,
        "info": [
            {"name": "Owner", "value": service.owner},
            {"name": "Source", "value": f"https://github.com/{service.source}"},
        ],
    }


def _automated(settings: Settings) -> bool:
    return settings.speed.automated_sync


def _source(settings: Settings, namespace: str, name: str, service: Service) -> dict[str, Any]:
    """Where the service's manifests are: its overlay, or its chart with this overlay's values."""
    overlay = _overlay(settings, namespace, name)
    git = {
        "repoURL": settings.config.gitops.url,
        "targetRevision": settings.config.gitops.branch,
    }
    if service.packaging == "kustomize":
        return {**git, "path": overlay}
    # A leading slash means the root of the repository, not the chart's folder.
    files = [f"/{overlay}/values.yaml", f"/{overlay}/version/values.yaml"]
    return {
        **git,
        "path": _base(namespace, name),
        "helm": {"releaseName": name, "valueFiles": files},
    }


def _base(namespace: str, name: str) -> str:
    return f"base/{namespace}/{name}"


def _overlay(settings: Settings, namespace: str, name: str) -> str:
    return f"environments/{settings.stack}/{namespace}/{name}"


def _retry(settings: Settings) -> dict[str, Any]:
    """Five attempts over some five minutes.

    A newer commit may mend what failed, but an approval was given to one revision: only an
    automated sync goes on with the newest.
    """
    return {
        "limit": 5,
        "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"},
        **({"refresh": True} if _automated(settings) else {}),
    }


def _window(window: SyncWindow) -> dict[str, Any]:
    return {
        "kind": "allow",
        "schedule": window.schedule,
        "duration": window.duration,
        "timeZone": window.time_zone,
        "applications": ["*"],
        "manualSync": False,  # people keep to it too: an approval outside waits for the window
    }
