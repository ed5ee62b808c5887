"""What stops and starts the nodes of a group: scheduled actions of its Auto Scaling group. Pure.

EKS has none of its own (https://github.com/aws/containers-roadmap/issues/1943), and node groups
take those of EC2 Auto Scaling, as terraform-aws-modules/eks makes them too. Auto Scaling drains
nothing: EKS does, and after some minutes the node goes anyway, whatever a disruption budget says
(Amazon EKS User Guide, managed node groups).

At night the minimum is 0, because Auto Scaling brings every group up to its minimum. The maximum
stays: EKS takes none below 1 (NodegroupScalingConfig), and shows what Auto Scaling has, so that a
maximum of 0 in a refreshed state would fail every run. So an autoscaler that runs elsewhere can
start nodes for pods that wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from settings.node_schedules import unix
from settings.nodes import NodeGroup

UNCHANGED = -1
"""The provider's word for a size that an action leaves alone."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One scheduled action."""

    name: str
    recurrence: str
    time_zone: str
    size: int
    """The new minimum and number of nodes."""


def actions(group: NodeGroup) -> Iterator[Action]:
    """Those of a group; none without a schedule."""
    if not group.schedule:
        return
    for name, cron, size in (
        ("stop", group.schedule.stop, 0),
        ("start", group.schedule.start, group.min_size),
    ):
        yield Action(
            name=name, recurrence=unix(cron), time_zone=group.schedule.time_zone, size=size
        )


def auto_scaling_group(resources: Sequence[Any]) -> str:
    """The name of the one that EKS made for a node group."""
    return str(resources[0].autoscaling_groups[0].name)
