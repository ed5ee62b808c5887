"""`platform:cluster`: the EKS cluster, its nodes, and access."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from settings import ranges
from settings.kubernetes import AddonName, supported, versions
from settings.limits import (
    CLUSTER_NAME,
    MAX_NEIGHBOURS,
    MAX_NODE_GROUPS,
    MAX_PUBLIC_RANGES,
    MAX_TAINTS,
)
from settings.machines import Architecture, architecture, one_architecture
from settings.model import DnsLabel, Matching, Model, PrincipalArn, different
from settings.node_labels import LabelKey, LabelValue, TaintKey, TaintValue, named_as_types

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
    ] = Field(min_length=1, description="EC2 uses any of them; all of one processor architecture")
    min_size: int = Field(ge=0, description="nodes at least")
    max_size: int = Field(ge=1, description="nodes at most")
    release: AmiRelease | None = Field(
        None, description="of the machine image; without it, the newest when AWS updates the group"
    )
    disk_gib: int = Field(50, ge=20, le=16384, description="of each node, encrypted")
    capacity: Literal["on-demand", "spot"] = Field(
        "on-demand", description="spot is cheaper, and AWS can stop its nodes at any time"
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
    node_groups: list[NodeGroup] = Field(
        default=[], max_length=MAX_NODE_GROUPS, description="at least one, unless existing is set"
    )
    addons: dict[AddonName, AddonVersion] = Field(
        default={},
        description="versions in place of the Kubernetes version's own; aws-ebs-csi-driver is "
        "installed only if it is named here",
    )
    access: AccessConfig = Field(description="who has access")
    existing: Annotated[str, Matching(*CLUSTER_NAME)] | None = Field(
        None, description="the name of an existing cluster; only access is allowed beside it"
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
    def node_groups_by_name(self) -> Self:
        names = [group.name for group in self.node_groups]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"has two nodeGroups named {twice[0]}; give every node group a name of its own"
            )
        return self
