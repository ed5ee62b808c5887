"""`Pulumi.<stack>.yaml`: what one environment sets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.argocd import ArgoCdConfig, KeelConfig
from settings.cluster import ClusterConfig
from settings.gitops_repository import GitOpsConfig
from settings.limits import of_an_organization
from settings.model import DnsLabel, DomainName, Model, PolicyArn, different
from settings.network import NetworkConfig
from settings.registry import CiConfig, RegistryConfig

Protectable = Literal["network", "cluster", "registry", "applications"]
"""What is protected against deletion and replacement, as a person names it."""


class StackConfig(Model):
    """Every `platform:` key of one stack."""

    speed: Literal["fast", "safe"] = Field(
        description="the one switch: fast follows every build, safe waits for a person"
    )
    organization: Annotated[DnsLabel, AfterValidator(of_an_organization)] = Field(
        description="prefix of everything's name"
    )
    domain: DomainName = Field(description="services with ingress are <service>.<domain>")
    network: NetworkConfig = Field(description="a VPC of our own, or an existing one")
    cluster: ClusterConfig = Field(description="EKS: its version, its nodes, and who may enter")
    registry: RegistryConfig = Field(description="ECR: one for all environments")
    gitops: GitOpsConfig = Field(description="the repository that mirrors the clusters")
    argocd: ArgoCdConfig = Field(description="what deploys; {} for the defaults")
    keel: KeelConfig | None = Field(
        None, description="rolls new builds; needed where speed is fast and a service relies on it"
    )
    ci: CiConfig = Field(
        CiConfig.model_validate({}), description="how pipelines enter; read in the registry owner"
    )
    permissions_boundary: PolicyArn | None = Field(
        None, description="the ARN of a policy that no role of the platform goes beyond"
    )
    unprotected: Annotated[list[Protectable], different] = Field(
        default=[], description="what may be deleted or replaced, on purpose and by name"
    )

    @property
    def argocd_domain(self) -> str:
        """Where Argo CD's UI and API are reached."""
        return self.argocd.domain or f"argocd.{self.domain}"
