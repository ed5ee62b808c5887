"""`Pulumi.<stack>.yaml`: what one environment sets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.argocd import ArgoCdConfig
from settings.cluster import ClusterConfig
from settings.gitops_repository import GitOpsConfig
from settings.ingress import IngressConfig
from settings.keel import KeelConfig
from settings.limits import of_an_organization
from settings.model import DnsLabel, DomainName, Model, PolicyArn, different
from settings.network import NetworkConfig
from settings.observability import ObservabilityConfig
from settings.registry import CiConfig, RegistryConfig
from settings.secrets import SecretsConfig

Protectable = Literal["network", "cluster", "registry", "applications"]
"""The parts that are protected against deletion and replacement."""


class StackConfig(Model):
    """Every `platform:` key of one stack."""

    speed: Literal["fast", "safe"] = Field(
        description="fast follows every build, safe waits for a person"
    )
    organization: Annotated[DnsLabel, AfterValidator(of_an_organization)] = Field(
        description="prefix of every name"
    )
    domain: DomainName = Field(description="services with ingress are <service>.<domain>")
    network: NetworkConfig = Field(description="a new VPC, or an existing one")
    cluster: ClusterConfig = Field(description="EKS: version, nodes and access")
    registry: RegistryConfig = Field(description="ECR: one for all environments")
    gitops: GitOpsConfig = Field(description="the repository that mirrors the clusters")
    argocd: ArgoCdConfig = Field(description="Argo CD; {} for the defaults")
    keel: KeelConfig | None = Field(
        None, description="Keel; needed if speed is fast and a service has delivery: keel"
    )
    secrets: SecretsConfig = Field(
        SecretsConfig.model_validate({}),
        description="External Secrets; installed if a service has secrets",
    )
    observability: ObservabilityConfig | None = Field(
        None,
        description="logs and metrics in CloudWatch, and alarms; unset: none of them",
    )
    ci: CiConfig = Field(
        CiConfig.model_validate({}), description="of pipelines; used in the registry owner's file"
    )
    permissions_boundary: PolicyArn | None = Field(
        None, description="the ARN of the permissions boundary of every role"
    )
    ingress: IngressConfig | None = Field(
        None,
        description="how people reach services and Argo CD; unset, the program makes no load "
        "balancer, certificate or name",
    )
    isolation: Literal["enforced", "warned"] = Field(
        "enforced",
        description="how teams are kept apart; warned tells of what would be refused, and sets "
        "neither quotas nor network policies",
    )
    unprotected: Annotated[list[Protectable], different] = Field(
        default=[], description="parts that may be deleted or replaced"
    )

    @property
    def argocd_domain(self) -> str:
        """The host name of Argo CD's UI and API."""
        return self.argocd.domain or f"argocd.{self.domain}"
