"""`platform:cluster`: the EKS cluster, its nodes, and access."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from settings import ranges
from settings.eks_releases import METRICS, AddonName, supported, versions
from settings.limits import CLUSTER_NAME, MAX_NEIGHBOURS, MAX_NODE_GROUPS, MAX_PUBLIC_RANGES
from settings.machines import Architecture
from settings.model import DnsLabel, Matching, Model, PrincipalArn, different
from settings.nodes import NodeGroup, NodePool

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


class AccessConfig(Model):
    """Who has access to the cluster; teams are keys of `teams` in services.yaml."""

    platform: list[PrincipalArn] = Field(min_length=1, description="administrators")
    teams: dict[DnsLabel, list[PrincipalArn]] = Field(
        default={}, description="by team: read the namespaces of the team's services"
    )
    read_only: list[PrincipalArn] = Field(
        default=[], description="read every namespace, except secrets"
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
        list[Annotated[IPv4Network, AfterValidator(ranges.of_the_internet)]], different
    ] = Field(
        [],
        max_length=MAX_PUBLIC_RANGES,
        description="public ranges that reach the endpoint; none: it is private",
    )
    private_access: Annotated[
        list[Annotated[IPv4Network, AfterValidator(ranges.of_a_neighbour)]], different
    ] = Field(
        [],
        max_length=MAX_NEIGHBOURS,
        description="ranges of the VPC and connected networks that reach it, besides the nodes",
    )
    logs: list[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]] = Field(
        default=["api", "audit", "authenticator"],
        description="the control plane's logs that go to CloudWatch",
    )
    compute: Literal["auto", "nodeGroups"] | None = Field(
        None,
        description="who looks after the nodes: auto is EKS Auto Mode, where AWS does; nodeGroups, "
        "or unset, the groups below; a cluster leaves Auto Mode only by nodeGroups",
    )
    pools: list[NodePool] = Field(
        default=[NodePool.model_validate({"name": "general"})],
        min_length=1,
        max_length=MAX_NODE_GROUPS,
        description="of Auto Mode, which adds and removes nodes within them",
    )
    node_groups: list[NodeGroup] = Field(
        default=[],
        max_length=MAX_NODE_GROUPS,
        description="at least one, unless compute is auto or existing is set",
    )
    addons: dict[AddonName, AddonVersion] = Field(
        default={},
        description="versions in place of the Kubernetes version's own; aws-ebs-csi-driver is "
        "installed only if it is named here; Auto Mode has its own, except for metrics-server",
    )
    access: AccessConfig = Field(description="who has access")
    existing: Annotated[str, Matching(*CLUSTER_NAME)] | None = Field(
        None, description="the name of an existing cluster; only access is allowed beside it"
    )

    @property
    def auto(self) -> bool:
        """Whether the cluster runs in EKS Auto Mode."""
        return self.compute == "auto"

    @property
    def architectures(self) -> dict[str, Architecture]:
        """By node group or pool, the processor of the nodes that take pods of any service."""
        return {machines.name: machines.processor for machines in self._machines if machines.open}

    @property
    def all_nodes_stop(self) -> bool:
        """Whether there are times without any node."""
        return bool(self.node_groups) and all(group.schedule for group in self.node_groups)

    @property
    def _machines(self) -> Sequence[NodeGroup | NodePool]:
        """What the nodes of a new cluster come from; none in an existing one."""
        if self.existing:
            return []
        return self.pools if self.auto else self.node_groups

    @model_validator(mode="after")
    def whole_or_existing(self) -> Self:
        if self.existing:
            if keys := self.keys_beside("existing", "access"):
                raise ValueError(
                    f"has {keys} beside existing, and an existing cluster is left as it is"
                )
        else:
            wanted = ("version",) if self.auto else ("version", "node_groups")
            if missing := [key for key in wanted if not getattr(self, key)]:
                raise ValueError(
                    f"must have {' and '.join(map(to_camel, missing))}, unless existing is set"
                )
        return self

    @model_validator(mode="after")
    def one_kind_of_compute(self) -> Self:
        if self.auto and self.node_groups:
            raise ValueError(
                "has nodeGroups beside compute: auto, whose nodes come from pools; remove one of "
                "the two"
            )
        if not self.auto and self.written("pools"):
            raise ValueError(
                "has pools without compute: auto, and only Auto Mode has pools; remove them or "
                "write compute: auto"
            )
        if self.auto and (theirs := sorted(self.addons.keys() - {METRICS})):
            raise ValueError(
                f"has {', '.join(theirs)} in addons beside compute: auto, which brings its own; "
                "remove them"
            )
        return self

    @model_validator(mode="after")
    def nodes_to_begin_with(self) -> Self:
        if self.auto and not any(not pool.taints for pool in self.pools):
            raise ValueError(
                "has no pool without taints, and DNS and Argo CD need one; take the taints off one"
            )
        groups = self.node_groups
        if groups and not any(group.min_size and not group.taints for group in groups):
            raise ValueError(
                "has no node group where DNS and Argo CD can start; give one without taints a "
                "minSize of at least 1"
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
    def machines_by_name(self) -> Self:
        names = [machines.name for machines in self._machines]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            kind = "pools" if self.auto else "nodeGroups"
            raise ValueError(f"has two {kind} named {twice[0]}; give each a name of its own")
        return self
