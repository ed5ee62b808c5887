"""Which settings each component takes: the only module that knows both."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi import Input, Output

from components.argocd.application_manifests import Target
from components.argocd.applications import ApplicationsArgs
from components.argocd.argocd import ArgoCd, ArgoCdArgs
from components.argocd.values import Installation
from components.ci.ci_identity import CiIdentityArgs
from components.ci.ci_trust import new_issuers
from components.cluster import storage
from components.cluster.access import AccessArgs
from components.cluster.cluster import Cluster, ClusterArgs
from components.gitops_checkout.gitops_checkout import GitOpsCheckoutArgs
from components.ingress.front_door import FrontDoorArgs
from components.ingress.ingress import Ingress, IngressArgs
from components.keel.keel import KeelArgs
from components.network.network import Network, NetworkArgs
from components.observability.observability import ObservabilityArgs
from components.preflight.asking import PreflightArgs
from components.registry.registry import RegistryArgs
from components.registry.registry_reference import RegistryReferenceArgs
from components.secrets.external_secrets import ExternalSecretsArgs
from components.service_access.isolation import IsolationArgs
from components.service_access.service_access import ServiceAccess, ServiceAccessArgs
from components.service_access.service_roles import ServiceRolesArgs
from components.tenancy.tenancy import TenancyArgs
from gitops.tree import scaffold
from settings.eks_releases import RELEASES
from settings.environment import Settings
from settings.ingress import IngressConfig
from settings.keel import KeelConfig
from settings.naming import Names
from settings.observability import ObservabilityConfig
from settings.tenancy import tenants


def gitops_checkout(settings: Settings) -> GitOpsCheckoutArgs:
    gitops = settings.config.gitops
    return GitOpsCheckoutArgs(checkout=gitops.checkout, url=gitops.url, files=scaffold(settings))


def preflight(settings: Settings) -> PreflightArgs:
    owner, config = settings.owns_registry, settings.config
    issuers = new_issuers(settings.catalogue, config.ci.existing) if owner else {}
    return PreflightArgs(
        network=config.network,
        cluster=config.cluster,
        ingress=config.ingress,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        repositories={
            Names.repository(namespace, name): f"namespaces.{namespace}.services.{name}"
            for namespace, name, _ in settings.catalogue.built()
            if owner
        },
        issuers={str(system): url for system, url in issuers.items()},
        file=settings.environment.file,
    )


def network(settings: Settings) -> NetworkArgs:
    return NetworkArgs(
        config=settings.config.network,
        cluster=settings.config.cluster,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        protected=settings.protects("network"),
        log_retention_days=settings.speed.log_retention_days,
        permissions_boundary=settings.config.permissions_boundary,
        file=settings.environment.file,
        sources=settings.sources,
    )


def registry(settings: Settings) -> RegistryArgs:
    return RegistryArgs(
        config=settings.config.registry,
        catalogue=settings.catalogue,
        names=settings.environment.names,
        host=settings.registry_host,
        moving_tag=settings.fast.name,
        pulling=[environment.aws_account for environment in settings.environments],
        protected=settings.protects("registry"),
    )


def registry_reference(settings: Settings) -> RegistryReferenceArgs:
    return RegistryReferenceArgs(
        owner=settings.registry_owner.name,
        services=[service for _, service, _ in settings.catalogue.built()],
    )


def ci_identity(settings: Settings) -> CiIdentityArgs:
    return CiIdentityArgs(
        catalogue=settings.catalogue,
        existing=settings.config.ci.existing,
        names=settings.environment.names,
        account=settings.registry_owner.aws_account,
        permissions_boundary=settings.config.permissions_boundary,
    )


def cluster(settings: Settings, network: Network) -> ClusterArgs:
    place = settings.config.network
    return ClusterArgs(
        config=settings.config.cluster,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        profile=settings.environment.aws.profile,
        role=settings.environment.aws.role,
        protected=settings.protects("cluster"),
        extended_support=settings.speed.extended_support,
        log_retention_days=settings.speed.log_retention_days,
        permissions_boundary=settings.config.permissions_boundary,
        vpc_id=network.vpc_id,
        control_plane_subnet_ids=network.control_plane_subnet_ids,
        node_subnet_ids=network.private_subnet_ids,
        node_placement=place.existing.private_subnets if place.existing else place.zones,
    )


def argocd(settings: Settings, cluster: Cluster, secrets: Mapping[str, Output[str]]) -> ArgoCdArgs:
    return ArgoCdArgs(
        installation=argocd_installation(settings, frozenset(secrets)),
        gitops=settings.config.gitops,
        secrets=secrets,
        kubeconfig=cluster.kubeconfig,
        owned_cluster=cluster.owned,
    )


def argocd_installation(settings: Settings, secrets: frozenset[str]) -> Installation:
    return Installation(
        environment=settings.stack,
        config=settings.config.argocd,
        gitops=settings.config.gitops,
        domain=settings.config.argocd_domain,
        catalogue=settings.living,
        speed=settings.speed,
        secrets=secrets,
    )


def service_access(settings: Settings, cluster: Cluster) -> ServiceAccessArgs:
    living, stack = settings.living, settings.stack
    rights = any(service.rights(stack) for _, _, service in living.entries())
    return ServiceAccessArgs(
        isolation=IsolationArgs(environment=stack, catalogue=living),
        secrets=_external_secrets(settings, cluster) if any(living.secretive()) else None,
        roles=_service_roles(settings, cluster) if rights else None,
    )


def _external_secrets(settings: Settings, cluster: Cluster) -> ExternalSecretsArgs:
    return ExternalSecretsArgs(
        config=settings.config.secrets,
        catalogue=settings.living,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        permissions_boundary=settings.config.permissions_boundary,
        cluster_name=cluster.name,
        kubeconfig=cluster.kubeconfig,
        owned_cluster=cluster.owned,
    )


def _service_roles(settings: Settings, cluster: Cluster) -> ServiceRolesArgs:
    return ServiceRolesArgs(
        environment=settings.stack,
        catalogue=settings.living,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        permissions_boundary=settings.config.permissions_boundary,
        cluster_name=cluster.name,
    )


def ingress(
    settings: Settings, config: IngressConfig, network: Network, cluster: Cluster
) -> IngressArgs:
    environment = settings.environment
    return IngressArgs(
        config=config,
        domain=settings.config.domain,
        argocd_domain=settings.config.argocd_domain,
        other_domains=settings.domains_inside,
        names=environment.names,
        account=environment.aws_account,
        profile=environment.aws.profile,
        role=environment.aws.role,
        permissions_boundary=settings.config.permissions_boundary,
        auto=settings.config.cluster.auto,
        replicas=2 if settings.speed.protected else 1,
        cluster_name=cluster.name,
        kubeconfig=cluster.kubeconfig,
        owned_cluster=cluster.owned,
        vpc_id=network.vpc_id,
        subnet_ids=(network.private_subnet_ids if config.internal else network.public_subnet_ids),
    )


def front_door(
    settings: Settings, config: IngressConfig, way_in: Ingress, argocd: ArgoCd
) -> FrontDoorArgs:
    return FrontDoorArgs(
        config=config,
        host=settings.config.argocd_domain,
        way_in=way_in,
        argocd_namespace=argocd.namespace,
        argocd_release=argocd.release,
    )


def applications(
    settings: Settings,
    argocd: ArgoCd,
    access: ServiceAccess | None = None,
    way_in: Ingress | None = None,
) -> ApplicationsArgs:
    return ApplicationsArgs(
        catalogue=settings.living,
        target=applications_target(settings),
        volumes=storage.default_class(settings.config.cluster),
        protected=settings.protects("applications"),
        argocd_namespace=argocd.namespace,
        argocd_release=argocd.release,
        reading=access.reading if access else None,
        first=[*(access.first if access else ()), *([way_in] if way_in else [])],
    )


def applications_target(settings: Settings) -> Target:
    return Target(
        environment=settings.stack,
        speed=settings.speed,
        gitops=settings.config.gitops,
        sync_windows=settings.config.argocd.sync_windows,
    )


def access(settings: Settings, namespaces: Mapping[str, Input[str]]) -> AccessArgs:
    return AccessArgs(
        config=settings.config.cluster.access,
        catalogue=settings.living,
        namespaces=namespaces,
    )


def tenancy(settings: Settings, namespaces: Mapping[str, Input[str]]) -> TenancyArgs:
    return TenancyArgs(
        tenants=tenants(settings),
        registry=settings.registry_host,
        defaults=settings.speed.resources,
        enforced=settings.config.isolation == "enforced",
        names=settings.environment.names,
        namespaces=namespaces,
    )


def keel(
    settings: Settings, config: KeelConfig, cluster: Cluster, namespaces: Mapping[str, Input[str]]
) -> KeelArgs:
    return KeelArgs(
        config=config,
        catalogue=settings.living,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        registry=settings.registry_owner.aws_account,
        permissions_boundary=settings.config.permissions_boundary,
        cluster_name=cluster.name,
        kubeconfig=cluster.kubeconfig,
        owned_cluster=cluster.owned,
        namespaces=namespaces,
    )


def observability(
    settings: Settings,
    config: ObservabilityConfig,
    cluster: Cluster,
    argocd: ArgoCd,
    way_in: Ingress | None = None,
) -> ObservabilityArgs:
    release = RELEASES.get(settings.config.cluster.version)
    return ObservabilityArgs(
        config=config,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        permissions_boundary=settings.config.permissions_boundary,
        cluster_name=cluster.name,
        degraded=settings.speed.degraded_alarm,
        support_ends=release.standard_support_ends if release else None,
        certificate=way_in.certificate if way_in else None,
        nodes_stop=settings.config.cluster.all_nodes_stop,
        wait_for=argocd.release,
    )
