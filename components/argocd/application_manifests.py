"""Argo CD's projects and Applications, and their namespaces, as manifests. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from components.kubernetes import RESTRICTED
from gitops import layout
from settings import Speed, kinds
from settings.catalogue import BuiltService, Catalogue, ForeignService, Namespace, Service
from settings.gitops_repository import GitOpsConfig
from settings.sync_windows import SyncWindow

IN_CLUSTER = "https://kubernetes.default.svc"
"""The cluster that Argo CD runs in; it manages no other."""

CASCADE = "resources-finalizer.argocd.argoproj.io"
"""With it, deleting an Application deletes its workloads."""

SYNC_OPTIONS = (
    # Two Applications that declare the same object fail instead of fighting over it.
    "FailOnSharedResource=true",
    # Prune after everything new is healthy.
    "PruneLast=true",
    # A sync leaves ignored fields alone.
    "RespectIgnoreDifferences=true",
)
"""Replace=true is not among them: it would undo what Keel wrote, and recreates objects.
ServerSideApply neither: the diff that leaves Keel's fields alone is the client's.
ApplyOutOfSyncOnly neither: a second attempt would skip a Deployment that is applied and not healthy
yet, wait for nothing, and prune the ConfigMap that the pods of the old version still need."""


SCALED_BY_THE_CLUSTER = tuple(
    {"group": "apps", "kind": kind, "managedFieldsManagers": ["kube-controller-manager"]}
    for kind in ("Deployment", "StatefulSet")
)
"""A HorizontalPodAutoscaler sets the number of replicas. The field then belongs to the controller
manager and is no difference that Argo CD heals or a releaser approves. Manual scaling is still
undone."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The environment that Argo CD deploys to, and the repository that it reads."""

    environment: str
    speed: Speed
    gitops: GitOpsConfig
    sync_windows: Sequence[SyncWindow]


def namespace_metadata(
    target: Target, namespace: str, services: Collection[Service]
) -> dict[str, Any]:
    """Metadata of a namespace: restricted pods only, and who owns what is in it."""
    owners = sorted({service.owner for service in services})
    return {
        "name": namespace,
        "labels": {**RESTRICTED, "environment": target.environment},
        "annotations": {"owners": ",".join(owners)},
    }


def project_spec(target: Target, namespace: str, group: Namespace | None = None) -> dict[str, Any]:
    """The AppProject of a namespace: one repository, one destination, harmless kinds."""
    migrating = group and any(service.migrate for service in group.services.values())
    windows = [_window(window) for window in target.sync_windows]
    return {
        "description": f"{namespace} on {target.environment}",
        "sourceRepos": [target.gitops.url],
        "destinations": [{"server": IN_CLUSTER, "namespace": namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [
            {"group": api_group, "kind": kind}
            for api_group, kind in kinds.allowed(group.kinds if group else ())
        ],
        # Lists objects that no Application declares, such as those of a deleted one.
        "orphanedResources": {"warn": True, **({"ignore": _OF_MIGRATIONS} if migrating else {})},
        **({"syncWindows": windows} if windows else {}),
    }


_OF_MIGRATIONS = [
    {"group": "", "kind": "ConfigMap", "name": "migration-gate"},
    {"group": "batch", "kind": "Job", "name": "*-migrate-*"},
]
"""What is there for migrations, and stays when the version has changed."""


def wants_volumes(catalogue: Catalogue) -> bool:
    """Whether a service has a volume that names no class of its own."""
    return any(
        volume.storage_class is None
        for _, _, service in catalogue.entries()
        for volume in service.storage.values()
    )


DEFAULT_PROJECT = {
    "description": "Takes nothing: every Application belongs to the project of its namespace",
    "sourceRepos": [],
    "destinations": [],
    "clusterResourceWhitelist": [],
}
"""The project that Argo CD makes by itself, where it takes everything from everywhere."""


def application_metadata(
    target: Target, namespace: str, name: str, service: Service
) -> dict[str, Any]:
    """Metadata of a service's Application.

    Where deletion must be deliberate, deleting the Application leaves the workloads running.
    """
    return {
        "name": name,
        "labels": {"team": service.owner, "environment": target.environment},
        "annotations": {
            # Argo CD ignores a push that changes none of these.
            "argocd.argoproj.io/manifest-generate-paths": ";".join(
                f"/{path}" for path in _read(target, namespace, name)
            )
        },
        **({} if target.speed.protected else {"finalizers": [CASCADE]}),
    }


def application_spec(target: Target, namespace: str, name: str, service: Service) -> dict[str, Any]:
    """The Application of a service. Without automated sync, the key `automated` is absent."""
    automated = target.speed.automated_sync
    return {
        "project": namespace,
        "source": _source(target, namespace, name, service),
        "destination": {"server": IN_CLUSTER, "namespace": namespace},
        "syncPolicy": {
            **({"automated": {"prune": True, "selfHeal": True}} if automated else {}),
            **_retry(target.speed),
            "syncOptions": list(SYNC_OPTIONS),
        },
        "ignoreDifferences": list(SCALED_BY_THE_CLUSTER),
        # One entry: what runs now. A rollback goes through Git.
        "revisionHistoryLimit": 1,
        "info": [
            {"name": "Owner", "value": service.owner},
            {"name": "Source", "value": _origin(service)},
        ],
    }


def _origin(service: Service) -> str:
    """The source of the image, for a reader."""
    if isinstance(service, BuiltService):
        return f"https://github.com/{service.source}"
    return service.image.name if isinstance(service, ForeignService) else ""


def _source(target: Target, namespace: str, name: str, service: Service) -> dict[str, Any]:
    """Where the service's manifests are.

    The folder that releases render into; or else its overlay, or its chart with this overlay's
    values.
    """
    git = {
        "repoURL": target.gitops.url,
        "targetRevision": target.gitops.branch,
    }
    if target.speed.rendered:
        # A plain folder, even if it has a kustomization.yaml or Chart.yaml.
        plain = {"include": "*.yaml"}
        return {
            **git,
            "path": layout.rendered(target.environment, namespace, name),
            "directory": plain,
        }
    overlay = layout.overlay(target.environment, namespace, name)
    if service.packaging == "kustomize":
        return {**git, "path": overlay}
    # A leading slash means the root of the repository, not the chart's folder.
    files = [f"/{overlay}/values.yaml", f"/{overlay}/{layout.VERSION}/values.yaml"]
    return {
        **git,
        "path": layout.base(namespace, name),
        "helm": {"releaseName": name, "valueFiles": files},
    }


def _read(target: Target, namespace: str, name: str) -> tuple[str, ...]:
    """The folders from which the service's manifests come."""
    if target.speed.rendered:
        return (layout.rendered(target.environment, namespace, name),)
    return (
        layout.base(namespace, name),
        layout.SHARED_COMPONENTS,
        layout.overlay(target.environment, namespace, name),
    )


def _retry(speed: Speed) -> dict[str, Any]:
    """How a sync that failed goes on: a newer commit may correct it.

    Where a person approves, there is no retry: it would block the sync of a rollback.
    """
    if not speed.sync_retries:
        return {}
    backoff = {"duration": "10s", "factor": 2, "maxDuration": "3m"}
    return {"retry": {"limit": speed.sync_retries, "backoff": backoff, "refresh": True}}


def _window(window: SyncWindow) -> dict[str, Any]:
    return {
        "kind": window.kind,
        "schedule": window.schedule,
        "duration": window.duration,
        "timeZone": window.time_zone,
        "applications": ["*"],
        "manualSync": False,  # approvals too: outside the window they wait
    }
