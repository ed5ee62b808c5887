"""Namespaces, Argo CD projects and Applications: one of each level of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, Output, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource, CustomResourcePatch

from components.argocd import application_manifests as manifests
from components.argocd.application_manifests import Target
from components.migrations.migrations import Migrations, MigrationsArgs
from components.secrets.stores import Reading, SecretStores, SecretStoresArgs
from settings.catalogue import Catalogue, Namespace, Owned
from settings.packages import Package

API_VERSION = "argoproj.io/v1alpha1"
DELETION = "15m"
"""An Application that deletes its workloads waits for load balancers and grace periods."""


@dataclass(frozen=True, kw_only=True)
class ApplicationsArgs:
    """What is deployed, and by which Argo CD."""

    catalogue: Catalogue
    target: Target
    volumes: Mapping[str, Any] | None
    """The body of the default StorageClass; None where there is none to make."""
    protected: bool
    """Pulumi refuses to delete the namespaces."""
    argocd_namespace: Output[str]
    argocd_release: k8s.helm.v3.Release
    reading: Reading | None
    """How secrets are read, where a service has some."""
    first: Sequence[pulumi.Resource]
    """What has to be there before any service runs."""


class Applications(pulumi.ComponentResource):
    """Every service and package of the catalogue, as Argo CD sees it.

    Creates a namespace and an AppProject for each namespace of the catalogue; an Application for
    each service, after what its migrations and secrets need; an AppProject and an Application for
    each package; closes the project `default`; and creates the default StorageClass. Wants a
    Kubernetes provider in `opts`. Deleted in the other order: Applications first, while the Argo CD
    that they need is there.
    """

    namespaces: dict[str, Output[str]]
    """The Kubernetes namespaces of the services, by name; known once they are created."""

    def __init__(
        self, name: str, args: ApplicationsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Applications", name, None, opts)
        self._prefix = name
        self._args = args
        self.namespaces = {}
        self._close_default_project()
        if args.volumes:
            k8s.storage.v1.StorageClass(
                f"{name}-volumes", **args.volumes, opts=ResourceOptions(parent=self)
            )
        for namespace, group in sorted(args.catalogue.namespaces.items()):
            created = self._namespace(namespace, group)
            project = self._project(namespace, group, created)
            self.namespaces[namespace] = created.metadata.name
            first = [
                project,
                *self._args.first,
                *self._migrations(namespace, group, created),
                *self._stores(namespace, group, created),
            ]
            for service_name, service in sorted(group.services.items()):
                self._application(namespace, service_name, service, first)
            for package_name, package in sorted(group.packages.items()):
                own = self._package_project(namespace, package_name, package, created)
                self._application(namespace, package_name, package, [own])
        self.register_outputs({"namespaces": self.namespaces})

    def _close_default_project(self) -> None:
        CustomResourcePatch(  # Argo CD makes it, before it is ready
            f"{self._prefix}-default-project",
            api_version=API_VERSION,
            kind="AppProject",
            metadata={
                "name": "default",
                "namespace": self._args.argocd_namespace,
                "annotations": {"pulumi.com/patchForce": "true"},  # what it says is ours now
            },
            spec=manifests.DEFAULT_PROJECT,
            # Taking the patch back would leave a project without a spec, which Kubernetes refuses;
            # the project goes with its namespace.
            opts=ResourceOptions(
                parent=self, depends_on=[self._args.argocd_release], retain_on_delete=True
            ),
        )

    def _namespace(self, namespace: str, group: Namespace) -> k8s.core.v1.Namespace:
        return k8s.core.v1.Namespace(
            f"{self._prefix}-{namespace}",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                **manifests.namespace_metadata(self._args.target, namespace, group.owned.values())
            ),
            # Deleting a namespace deletes everything in it, while what that needs is there.
            opts=ResourceOptions(
                parent=self, protect=self._args.protected, depends_on=self._args.first
            ),
        )

    def _project(
        self, namespace: str, group: Namespace, created: k8s.core.v1.Namespace
    ) -> CustomResource:
        return CustomResource(
            f"{self._prefix}-{namespace}-project",
            api_version=API_VERSION,
            kind="AppProject",
            metadata={"name": namespace, "namespace": self._args.argocd_namespace},
            spec=manifests.project_spec(self._args.target, namespace, group),
            opts=ResourceOptions(parent=self, depends_on=[created, self._args.argocd_release]),
        )

    def _package_project(
        self, namespace: str, name: str, package: Package, created: k8s.core.v1.Namespace
    ) -> CustomResource:
        project = manifests.project_name(namespace, name, package)
        return CustomResource(
            f"{self._prefix}-{project}-project",
            api_version=API_VERSION,
            kind="AppProject",
            metadata={"name": project, "namespace": self._args.argocd_namespace},
            spec=manifests.package_project_spec(self._args.target, namespace, name, package),
            opts=ResourceOptions(parent=self, depends_on=[created, self._args.argocd_release]),
        )

    def _migrations(
        self, namespace: str, group: Namespace, created: k8s.core.v1.Namespace
    ) -> list[Migrations]:
        """What pods need that migrate before they serve, if some do."""
        services = sorted(name for name, service in group.services.items() if service.migrate)
        if not services:
            return []
        args = MigrationsArgs(namespace=created.metadata.name, services=services)
        name = f"{self._prefix}-{namespace}-migrations"
        return [Migrations(name, args, ResourceOptions(parent=self))]

    def _stores(
        self, namespace: str, group: Namespace, created: k8s.core.v1.Namespace
    ) -> Sequence[pulumi.Resource]:
        """Where services of the namespace have their secrets from, if some have any."""
        secrets = {
            name: [*service.secrets.objects(name)]
            for name, service in sorted(group.services.items())
            if service.secrets
        }
        if not secrets or not self._args.reading:
            return []
        args = SecretStoresArgs(
            name=namespace,
            namespace=created.metadata.name,
            secrets=secrets,
            reading=self._args.reading,
        )
        name = f"{self._prefix}-{namespace}-secrets"
        return SecretStores(name, args, ResourceOptions(parent=self)).created

    def _application(
        self, namespace: str, name: str, what: Owned, first: Sequence[pulumi.Resource]
    ) -> None:
        CustomResource(
            f"{self._prefix}-{name}",
            api_version=API_VERSION,
            kind="Application",
            metadata={
                **manifests.application_metadata(self._args.target, namespace, name, what),
                "namespace": self._args.argocd_namespace,
            },
            spec=manifests.application_spec(self._args.target, namespace, name, what),
            opts=ResourceOptions(
                parent=self,
                depends_on=first,
                custom_timeouts=CustomTimeouts(delete=DELETION),
            ),
        )
