"""`Pulumi.<stack>.yaml`: what one environment sets, key by key."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from settings import ranges
from settings.catalogue import Ci
from settings.kubernetes import AddonName, supported, versions
from settings.limits import (
    CLUSTER_NAME,
    MAX_NEIGHBOURS,
    MAX_NODE_GROUPS,
    MAX_PUBLIC_RANGES,
    MAX_TAINTS,
    of_an_organization,
)
from settings.machines import Architecture, architecture, one_architecture
from settings.model import (
    Branch,
    DnsLabel,
    DomainName,
    GithubName,
    GitUrl,
    HttpUrl,
    Matching,
    Model,
    PolicyArn,
    PrincipalArn,
    different,
)
from settings.node_labels import LabelKey, LabelValue, TaintKey, TaintValue, named_as_types
from settings.sync_windows import SyncWindow

ZoneLetter = Annotated[str, Matching(r"[a-f]", "must be the letter of an availability zone")]
SubnetId = Annotated[str, Matching(r"subnet-[0-9a-f]{8,17}", "must be a subnet's id")]
VpcId = Annotated[str, Matching(r"vpc-[0-9a-f]{8,17}", "must be a VPC's id")]
ChartVersion = Annotated[
    str, Matching(r"\d+\.\d+\.\d+", "must be one chart version such as 10.1.1, not a range")
]
KubernetesVersion = Annotated[
    str,
    Matching(r"1\.\d{2}", 'must be a Kubernetes minor version in quotes, such as "1.35"'),
    AfterValidator(supported),
]
AddonVersion = Annotated[
    str,
    Matching(
        r"v\d+\.\d+\.\d+-eksbuild\.\d+", "must be one add-on version such as v1.22.4-eksbuild.3"
    ),
]
AmiRelease = Annotated[
    str,
    Matching(
        r"1\.\d{2}\.\d+-\d{8}", "must be a release of EKS's machine images such as 1.35.2-20260710"
    ),
]
Protectable = Literal["network", "cluster", "registry", "applications"]
"""What is protected against deletion and replacement, as a person names it."""
PollSchedule = Annotated[
    str,
    Matching(
        r"@every ([1-9]\d*)(s|m|h)|@hourly|@daily",
        "must be a Keel schedule such as '@every 30s'",
    ),
]


def control_plane_zones(zones: list[str]) -> list[str]:
    """Those of a network's zones, in its order, that EKS is given for the cluster's life."""
    return zones[:2]


class ExistingNetwork(Model):
    """A VPC that exists already and is used as it is."""

    vpc: VpcId = Field(description="its id")
    private_subnets: Annotated[list[SubnetId], different] = Field(
        min_length=2,
        description="for nodes, in two zones at least; the first two are the control plane's",
    )
    public_subnets: Annotated[list[SubnetId], different] = Field(
        default=[], description="for load balancers that face the internet"
    )


class NetworkConfig(Model):
    """A VPC of our own, or the ids of an existing one."""

    cidr: Annotated[IPv4Network, AfterValidator(ranges.of_a_network)] | None = Field(
        None, description="the VPC's private range, /16 to /22"
    )
    zones: Annotated[list[ZoneLetter], different] = Field(
        ["a", "b"],
        min_length=2,
        max_length=3,
        description="letters of two or three availability zones",
    )
    nat: Literal["single", "per-zone"] = Field(
        "single", description="one way out for all zones, or one for each"
    )
    flow_logs: bool = Field(False, description="record every connection in CloudWatch")
    existing: ExistingNetwork | None = Field(None, description="in place of cidr")

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.cidr is None) == (self.existing is None):
            raise ValueError("must have either cidr (a new VPC) or existing (one that is there)")
        if self.existing and (keys := self.keys_beside("existing")):
            raise ValueError(f"has {keys} beside existing, and an existing VPC is left as it is")
        return self


class Taint(Model):
    """Keeps pods without a matching toleration off a node group."""

    key: TaintKey = Field(description="of the taint")
    value: TaintValue = Field("", description="of the taint")
    effect: Literal["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"] = Field(
        description="what happens to pods that do not tolerate it"
    )


class NodeGroup(Model):
    """A managed node group; sizes count nodes."""

    name: DnsLabel = Field(description="unique among the cluster's node groups")
    instance_types: Annotated[
        list[str], AfterValidator(named_as_types), AfterValidator(one_architecture)
    ] = Field(min_length=1, description="any of them is taken; all of one processor architecture")
    min_size: int = Field(ge=0, description="nodes at least")
    max_size: int = Field(ge=1, description="nodes at most")
    release: AmiRelease | None = Field(
        None, description="of the machine image; unless set, the newest when AWS updates the group"
    )
    disk_gib: int = Field(50, ge=20, le=16384, description="of each node, encrypted")
    capacity: Literal["on-demand", "spot"] = Field(
        "on-demand", description="spot is cheaper and can be taken away"
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={}, description="of the nodes, for node selectors"
    )
    taints: list[Taint] = Field(default=[], max_length=MAX_TAINTS, description="of the nodes")

    @model_validator(mode="after")
    def taints_by_key_and_effect(self) -> Self:
        marks = [(taint.key, taint.effect) for taint in self.taints]
        if twice := sorted({mark for mark in marks if marks.count(mark) > 1}):
            key, effect = twice[0]
            raise ValueError(
                f"has two taints {key} with the effect {effect}, and a node has one; remove one"
            )
        return self

    @model_validator(mode="after")
    def sizes_in_order(self) -> Self:
        if self.min_size > self.max_size:
            raise ValueError(
                f"minSize {self.min_size} exceeds maxSize {self.max_size}; "
                "lower minSize or raise maxSize"
            )
        return self


class AccessConfig(Model):
    """Who may enter the cluster; teams are keys of `teams` in services.yaml."""

    platform: list[PrincipalArn] = Field(min_length=1, description="administrators")
    teams: dict[DnsLabel, list[PrincipalArn]] = Field(
        default={}, description="by team: may read the namespaces where the team owns services"
    )
    read_only: list[PrincipalArn] = Field(
        default=[], description="may read every namespace, secrets excepted"
    )


class ClusterConfig(Model):
    """The EKS cluster, or the name of an existing one."""

    version: KubernetesVersion = Field(
        "",
        description=f"of Kubernetes: {versions()}; one minor version up at a time; required, "
        "unless existing is set",
    )
    service_cidr: Annotated[IPv4Network, AfterValidator(ranges.of_services)] = Field(
        IPv4Network("172.20.0.0/16"),
        description="the addresses of Kubernetes services, /12 to /24; cannot change later",
    )
    public_access: Annotated[
        list[Annotated[IPv4Network, AfterValidator(ranges.of_somebody)]], different
    ] = Field(
        [],
        max_length=MAX_PUBLIC_RANGES,
        description="who reaches the endpoint publicly; none: it is private",
    )
    private_access: Annotated[
        list[Annotated[IPv4Network, AfterValidator(ranges.of_a_neighbour)]], different
    ] = Field(
        [],
        max_length=MAX_NEIGHBOURS,
        description="who reaches it from the VPC and connected networks, beside the nodes",
    )
    logs: list[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]] = Field(
        default=["api", "audit", "authenticator"],
        description="what of the control plane is logged to CloudWatch",
    )
    node_groups: list[NodeGroup] = Field(
        default=[], max_length=MAX_NODE_GROUPS, description="at least one, unless existing is set"
    )
    addons: dict[AddonName, AddonVersion] = Field(
        default={},
        description="in place of the version that belongs to the Kubernetes version; "
        "aws-ebs-csi-driver is installed where it is named here",
    )
    access: AccessConfig = Field(description="who may enter")
    existing: Annotated[str, Matching(*CLUSTER_NAME)] | None = Field(
        None, description="the name of a cluster that exists; beside it only access counts"
    )

    @property
    def architectures(self) -> dict[str, Architecture]:
        """By node group, the processor of the nodes that take pods of any service."""
        return {
            group.name: architecture(group.instance_types[0])
            for group in self.node_groups
            if not any(taint.effect != "PREFER_NO_SCHEDULE" for taint in group.taints)
        }

    @model_validator(mode="after")
    def whole_or_existing(self) -> Self:
        if self.existing:
            if keys := self.keys_beside("existing", "access"):
                raise ValueError(
                    f"has {keys} beside existing, and an existing cluster is left as it is"
                )
        elif missing := [key for key in ("version", "node_groups") if not getattr(self, key)]:
            raise ValueError(
                f"must have {' and '.join(map(to_camel, missing))}, unless existing is set"
            )
        return self

    @model_validator(mode="after")
    def nodes_to_begin_with(self) -> Self:
        groups = self.node_groups
        if groups and not any(group.min_size and not group.taints for group in groups):
            raise ValueError(
                "has no node group where DNS and Argo CD can start; give one without taints a "
                "minSize of 1 at least"
            )
        return self

    @model_validator(mode="after")
    def releases_of_the_version(self) -> Self:
        for group in self.node_groups:
            if group.release and not group.release.startswith(f"{self.version}."):
                raise ValueError(
                    f"has nodeGroups {group.name} at release {group.release}, which is not of "
                    f"version {self.version}; take a release of {self.version}, or leave it out"
                )
        return self

    @model_validator(mode="after")
    def node_groups_by_name(self) -> Self:
        names = [group.name for group in self.node_groups]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"has two nodeGroups named {twice[0]}; give every node group a name of its own"
            )
        return self


class RegistryConfig(Model):
    """ECR; one registry serves every environment."""

    owner: DnsLabel = Field(description="the stack that creates the repositories")
    host: str | None = Field(
        None,
        description="what AWS calls the registry where that is not ECR's usual host name; the "
        "owner's file decides, and the others may leave it out",
    )
    encryption: Literal["AES256", "KMS"] = Field(
        "AES256", description="of images at rest; cannot change later"
    )
    untagged_days: int = Field(7, ge=1, description="when an untagged image expires")
    refuse: Literal["critical", "high", "medium", "low"] | None = Field(
        None,
        description="promotions to this environment refuse an image in which ECR's scan found "
        "something of this severity or worse; read where speed is safe",
    )
    build_days: int = Field(
        90, ge=7, description="when an image tagged build-… and nothing else expires"
    )


class CiConfig(Model):
    """How pipelines enter the registry's account."""

    existing: Annotated[list[Ci], different] = Field(
        default=[], description="CI systems whose OIDC provider the account has already"
    )

    @model_validator(mode="before")
    @classmethod
    def under_the_former_name(cls, raw: Any) -> Any:
        """`existing` was called `adopt`, and stack files say so."""
        if isinstance(raw, dict) and "adopt" in raw and "existing" not in raw:
            return {("existing" if key == "adopt" else key): raw[key] for key in raw}
        return raw


class GithubApp(Model):
    """A GitHub App that reads the GitOps repository; its key is `platform:githubAppPrivateKey`."""

    id: int = Field(ge=1, description="the app's id")
    installation: int = Field(ge=1, description="the id of its installation in the organization")
    api: HttpUrl | None = Field(
        None, description="GitHub Enterprise's API, such as https://github.example/api/v3"
    )


class GitOpsConfig(Model):
    """The GitOps repository and the checkout that `pulumi up` writes into."""

    url: GitUrl = Field(description="as Argo CD reads it; the same in every stack file")
    branch: Branch = Field(
        "main", description="what the clusters mirror; the same in every stack file"
    )
    checkout: str = Field("../gitops", description="a folder, relative to this program")
    releases: Literal["push", "pull-request"] = Field(
        "push",
        description="how promotions and rollbacks of this environment reach the branch; read where "
        "speed is safe",
    )
    github_app: GithubApp | None = Field(
        None, description="in place of the secrets gitToken and gitPrivateKey"
    )


class Chart(Model):
    """Where a Helm chart comes from, and the one version of it."""

    repository: str | None = Field(None, description="in place of the chart's own repository")
    version: ChartVersion | None = Field(None, description="in place of the pinned version")


def _enterprise(host: str) -> str:
    if host == "github.com":
        raise ValueError("is where people sign in anyway; leave the key out")
    return host


class GithubSso(Model):
    """Sign-on by GitHub: a group is a team, as `<organization>:<team>`."""

    organization: GithubName = Field(
        description="whose members sign in; in capitals and small letters as GitHub writes it"
    )
    host: Annotated[DomainName, AfterValidator(_enterprise)] | None = Field(
        None, description="of GitHub Enterprise Server, in place of github.com"
    )


class Sso(Model):
    """Single sign-on by OpenID Connect or GitHub; its secret is `platform:ssoClientSecret`."""

    issuer: HttpUrl | None = Field(None, description="the URL of an OpenID Connect provider")
    github: GithubSso | None = Field(None, description="in place of issuer: GitHub itself")
    client_id: str = Field(min_length=1, description="Argo CD's id at the provider")

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.issuer is None) == (self.github is None):
            raise ValueError("must have either issuer (OpenID Connect) or github (GitHub itself)")
        return self


class Notifications(Model):
    """Where Argo CD reports to; the Slack token is `platform:slackToken`."""

    slack_channel: str | None = Field(None, description="its name, without #")
    webhook: HttpUrl | None = Field(None, description="takes messages as JSON")


class ArgoCdConfig(Model):
    """Argo CD of one environment."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
    domain: DomainName | None = Field(
        None, description="where its UI and API are reached; argocd.<domain> unless set"
    )
    sso: Sso | None = Field(None, description="who people are; without it the local admin signs in")
    notifications: Notifications = Field(
        Notifications.model_validate({}), description="deployed, degraded, failed, waiting"
    )
    reconciliation_seconds: int = Field(30, ge=10, le=3600, description="how often Git is read")
    sync_windows: list[SyncWindow] = Field(
        [], description="when syncs are allowed or denied, also to people; none: always allowed"
    )


class KeelConfig(Model):
    """Keel of one fast environment."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
    schedule: PollSchedule = Field(
        "@every 30s", description="how often the registry is asked for new builds"
    )


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


class AssumeRole(Model):
    """A role that Pulumi takes on; the provider reads the other keys."""

    model_config = ConfigDict(extra="ignore")

    role_arn: PrincipalArn = Field(description="the role's ARN")

    @model_validator(mode="before")
    @classmethod
    def without_external_id(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("externalId"):
            raise ValueError(
                "has an externalId, which `aws eks get-token` cannot pass on; put the role and "
                "its external id into an AWS profile and name that in aws:profile"
            )
        return raw


class AwsConfig(Model):
    """The `aws:` keys that the program itself needs; the provider reads the others."""

    region: Annotated[str, Matching(r"[a-z]{2}(-[a-z]+)+-\d", "must be an AWS region")] = Field(
        description="where everything is created"
    )
    allowed_account_ids: list[Annotated[str, Matching(r"\d{12}", "must be 12 digits")]] = Field(
        min_length=1, max_length=1, description="the one account of this environment"
    )
    profile: str | None = Field(None, description="the AWS profile that the kubeconfig names")
    assume_roles: list[AssumeRole] = Field(
        default=[], max_length=1, description="kubectl can follow one role, not a chain"
    )

    @property
    def role(self) -> str | None:
        """The ARN of the role that Pulumi takes on in this account."""
        return self.assume_roles[0].role_arn if self.assume_roles else None
