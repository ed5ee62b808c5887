"""Where a cluster's nodes come from: managed node groups, or pools of EKS Auto Mode."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings.limits import MAX_TAINTS
from settings.machines import Architecture, architecture, one_architecture
from settings.model import DnsLabel, Matching, Model
from settings.node_labels import LabelKey, LabelValue, TaintKey, TaintValue, named_as_types
from settings.node_schedules import NodeSchedule

AmiRelease = Annotated[
    str,
    Matching(
        r"1\.\d{2}\.\d+-\d{8}", "must be a release of EKS's machine images such as 1.35.2-20260710"
    ),
]


class Taint(Model):
    """Keeps pods without a matching toleration off a node."""

    key: TaintKey = Field(description="of the taint")
    value: TaintValue = Field("", description="of the taint")
    effect: Literal["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"] = Field(
        description="what happens to pods that do not tolerate it"
    )


class Machines(Model):
    """What node groups and pools have in common."""

    name: DnsLabel = Field(description="unique among the cluster's")
    disk_gib: int = Field(50, ge=20, le=16384, description="of each node, encrypted")
    capacity: Literal["on-demand", "spot"] = Field(
        "on-demand", description="spot is cheaper, and AWS can stop its nodes at any time"
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={}, description="of the nodes, for node selectors"
    )
    taints: list[Taint] = Field(default=[], max_length=MAX_TAINTS, description="of the nodes")

    @property
    def open(self) -> bool:
        """Whether pods without tolerations can come here."""
        return all(taint.effect == "PREFER_NO_SCHEDULE" for taint in self.taints)

    @model_validator(mode="after")
    def taints_by_key_and_effect(self) -> Self:
        marks = [(taint.key, taint.effect) for taint in self.taints]
        if twice := sorted({mark for mark in marks if marks.count(mark) > 1}):
            key, effect = twice[0]
            raise ValueError(
                f"has two taints {key} with the effect {effect}, and a node has one; remove one"
            )
        return self


class NodeGroup(Machines):
    """A managed node group; sizes count nodes."""

    instance_types: Annotated[
        list[str], AfterValidator(named_as_types), AfterValidator(one_architecture)
    ] = Field(min_length=1, description="EC2 uses any of them; all of one processor architecture")
    min_size: int = Field(ge=0, description="nodes at least")
    max_size: int = Field(ge=1, description="nodes at most")
    release: AmiRelease | None = Field(
        None, description="of the machine image; without it, the newest when AWS updates the group"
    )
    schedule: NodeSchedule | None = Field(
        None, description="when its nodes stop and start, where speed is fast; unset, they run"
    )

    @property
    def processor(self) -> Architecture:
        return architecture(self.instance_types[0])

    @model_validator(mode="after")
    def sizes_in_order(self) -> Self:
        if self.min_size > self.max_size:
            raise ValueError(
                f"minSize {self.min_size} exceeds maxSize {self.max_size}; "
                "lower minSize or raise maxSize"
            )
        return self

    @model_validator(mode="after")
    def something_starts(self) -> Self:
        if self.schedule and not self.min_size:
            raise ValueError(
                "has a schedule and minSize 0, so that no node would start; raise minSize, or "
                "remove schedule"
            )
        return self


def _not_of_aws(name: str) -> str:
    if name in ("default", "general-purpose", "system"):
        raise ValueError("is the name of a pool or class of AWS's own; choose another")
    return name


class NodePool(Machines):
    """A pool of EKS Auto Mode, which chooses instances for the pods that wait."""

    name: Annotated[DnsLabel, AfterValidator(_not_of_aws)] = Field(
        description="unique among the cluster's"
    )
    processor: Architecture = Field("x86_64", description="of its nodes")
    max_cpus: int = Field(
        32, ge=2, le=10_000, description="vCPUs of all its nodes at most; further pods wait"
    )
