"""Argo CD's projects and Applications, and their namespaces, as manifests. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from components.kubernetes_objects import OF_THE_PLATFORM, RESTRICTED
from gitops import layout
from settings import kinds
from settings.catalogue import ForeignService, Namespace, Owned
from settings.gitops_repository import GitOpsConfig
from settings.packages import Package
from settings.speed import Speed
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

_OF_A_PACKAGE = ("ServerSideApply=true",)
"""The definitions of an operator are larger than the annotation that an apply of the client needs,
and no Keel writes into what a package runs."""
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


def namespace_metadata(target: Target, namespace: str, owned: Collection[Owned]) -> dict[str, Any]:
    """Metadata of a namespace: restricted pods only, and who owns what is in it."""
    owners = sorted({what.owner for what in owned})
    return {
        "name": namespace,
        "labels": {**RESTRICTED, "environment": target.environment},
        "annotations": {"owners": ",".join(owners)},
    }


def project_spec(target: Target, namespace: str, group: Namespace | None = None) -> dict[str, Any]:
    """The AppProject of a namespace: one repository, one destination, harmless kinds.

    It is that of its services; each package has its own.
    """
    migrating = group and any(service.migrate for service in group.services.values())
    known = [_OF_THE_PLATFORM, *(_OF_MIGRATIONS if migrating else ())]
    windows = [_window(window) for window in target.sync_windows]
    return {
        "description": f"{namespace} on {target.environment}",
        "sourceRepos": [target.gitops.url],
        "destinations": [{"server": IN_CLUSTER, "namespace": namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": _kinds(kinds.allowed(group.kinds if group else ())),
        # Lists objects that no Application declares, such as those of a deleted one.
        "orphanedResources": {"warn": True, "ignore": known},
        **({"syncWindows": windows} if windows else {}),
    }


def project_name(namespace: str, name: str, what: Owned) -> str:
    """A namespace has no dot in its name, so no project is called as another one."""
    return f"{namespace}.{name}" if isinstance(what, Package) else namespace


def package_project_spec(
    target: Target, namespace: str, name: str, package: Package
) -> dict[str, Any]:
    """The AppProject of a package: what it is allowed on purpose, nothing else in Git is allowed.

    It names no orphaned objects: the controllers of packages make objects by themselves.
    """
    windows = [_window(window) for window in target.sync_windows]
    return {
        "description": f"The package {name} of {namespace} on {target.environment}",
        "sourceRepos": [target.gitops.url],
        "destinations": [{"server": IN_CLUSTER, "namespace": namespace}],
        "clusterResourceWhitelist": _kinds(map(kinds.kind_of, sorted(package.cluster_kinds))),
        "namespaceResourceWhitelist": _kinds(kinds.allowed(package.kinds)),
        **({"syncWindows": windows} if windows else {}),
    }


def _kinds(found: Iterable[kinds.Kind]) -> list[dict[str, str]]:
    return [{"group": api_group, "kind": kind} for api_group, kind in found]


_OF_THE_PLATFORM = {
    "group": "networking.k8s.io",
    "kind": "NetworkPolicy",
    "name": f"{OF_THE_PLATFORM}*",
}
_OF_MIGRATIONS = [
    {"group": "", "kind": "ConfigMap", "name": "migration-gate"},
    {"group": "batch", "kind": "Job", "name": "*-migrate-*"},
]
"""What is there for migrations, and stays when the version has changed."""


DEFAULT_PROJECT = {
    "description": "Takes nothing: every Application belongs to the project of its namespace",
    "sourceRepos": [],
    "destinations": [],
    "clusterResourceWhitelist": [],
}
"""The project that Argo CD makes by itself, where it takes everything from everywhere."""


def application_metadata(target: Target, namespace: str, name: str, what: Owned) -> dict[str, Any]:
    """Metadata of the Application of a service or package.

    Where deletion must be deliberate, deleting the Application leaves the workloads running.
    """
    return {
        "name": name,
        "labels": {"team": what.owner, "environment": target.environment},
        "annotations": {
            # Argo CD ignores a push that changes none of these.
            "argocd.argoproj.io/manifest-generate-paths": ";".join(
                f"/{path}" for path in _read(target, namespace, name)
            )
        },
        **({} if target.speed.protected else {"finalizers": [CASCADE]}),
    }


def application_spec(target: Target, namespace: str, name: str, what: Owned) -> dict[str, Any]:
    """The Application of a service or package.

    Without automated sync, the key `automated` is absent.
    """
    automated = target.speed.automated_sync
    return {
        "project": project_name(namespace, name, what),
        "source": _source(target, namespace, name, what),
        "destination": {"server": IN_CLUSTER, "namespace": namespace},
        "syncPolicy": {
            **({"automated": {"prune": True, "selfHeal": True}} if automated else {}),
            **_retry(target.speed),
            "syncOptions": [*SYNC_OPTIONS, *(_OF_A_PACKAGE if isinstance(what, Package) else ())],
        },
        "ignoreDifferences": list(SCALED_BY_THE_CLUSTER),
        # One entry: what runs now. A rollback goes through Git.
        "revisionHistoryLimit": 1,
        "info": [
            {"name": "Owner", "value": what.owner},
            {"name": "Source", "value": _origin(what)},
        ],
    }


def _origin(what: Owned) -> str:
    """The source of the image or chart, for a reader."""
    if isinstance(what, Package):
        return what.chart.address
    if isinstance(what, ForeignService):
        return what.image.name
    return f"https://github.com/{what.source}"


def _source(target: Target, namespace: str, name: str, what: Owned) -> dict[str, Any]:
    """Where the manifests are.

    The folder that releases render into; or else the overlay of a service, or a chart with this
    overlay's values. The chart of a package is its version file, which depends on the real one.
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
    base, overlay = (
        layout.base(namespace, name),
        layout.overlay(target.environment, namespace, name),
    )
    if isinstance(what, Package):
        chart, files = f"{overlay}/{layout.VERSION}", [base, overlay]
    elif what.packaging == "helm":
        chart, files = base, [overlay, f"{overlay}/{layout.VERSION}"]
    else:
        return {**git, "path": overlay}
    # A leading slash means the root of the repository, not the chart's folder.
    values = [f"/{folder}/values.yaml" for folder in files]
    return {**git, "path": chart, "helm": {"releaseName": name, "valueFiles": values}}


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
