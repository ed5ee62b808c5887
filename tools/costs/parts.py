"""Parts of an environment that are paid by time, and what each costs in a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from settings.node_schedules import share_stopped
from settings.problems import UserError
from tools.costs.preview import Resource
from tools.costs.prices import FILE, Prices

BY_USE = "traffic, logs, stored images, load balancers and what services create"
"""What no preview shows, because it is paid by use."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A line of the bill."""

    name: str
    monthly: float
    reason: str
    """How many of what."""


class NoPriceError(UserError):
    """Instance types that the price list does not have."""

    def __init__(self, missing: Sequence[tuple[str, str]]) -> None:
        lines = "".join(
            f"\n  - {stack}: instance type {kind} has no price; add it to instance_hour in "
            f"tools/costs/{FILE.name}"
            for stack, kind in missing
        )
        super().__init__(f"the price list lacks instance types:{lines}")


def parts(resources: Sequence[Resource], prices: Prices) -> list[Part]:
    """What is paid for, in a fixed order; parts that an environment lacks are left out."""
    found = [part(resources, prices) for part in PARTS]
    return [part for part in found if part.monthly]


def by_auto_mode(resources: Sequence[Resource]) -> bool:
    """Whether EKS chooses the nodes, which no preview shows then."""
    return any(
        one.inputs.get("computeConfig", {}).get("enabled")
        for one in _of(resources, "aws:eks/cluster:Cluster")
    )


def unknown_types(resources: Sequence[Resource], prices: Prices) -> list[str]:
    """The instance types that have no price."""
    wanted = {_kind(group) for group in _of(resources, NODES)}
    return sorted(wanted - prices.instance_hour.keys())


def _of(resources: Sequence[Resource], type_: str) -> list[Resource]:
    return [one for one in resources if one.type == type_]


NODES = "aws:eks/nodeGroup:NodeGroup"
SCHEDULE = "aws:autoscaling/schedule:Schedule"


def _kind(group: Resource) -> str:
    return str(group.inputs["instanceTypes"][0])


def _size(group: Resource) -> int:
    return int(group.inputs["scalingConfig"]["minSize"])


def _control_plane(resources: Sequence[Resource], prices: Prices) -> Part:
    count = len(_of(resources, "aws:eks/cluster:Cluster"))
    auto = " with Auto Mode" if by_auto_mode(resources) else ""
    return Part(
        name="EKS control plane",
        monthly=count * prices.monthly("control plane"),
        reason=f"{count}{auto}",
    )


def _nodes(resources: Sequence[Resource], prices: Prices) -> Part:
    groups = [
        (group, _running(group, resources)) for group in _of(resources, NODES) if _size(group)
    ]
    return Part(
        name="nodes",
        monthly=sum(share * _size(group) * _node(group, prices) for group, share in groups),
        reason=", ".join(f"{_size(group)} {_label(group, share)}" for group, share in groups),
    )


def _running(group: Resource, resources: Sequence[Resource]) -> float:
    """The share of the time in which the nodes of a group run."""
    when = {one.name: str(one.inputs["recurrence"]) for one in _of(resources, SCHEDULE)}
    stop, start = (when.get(f"{group.name}-{name}") for name in ("stop", "start"))
    return 1 - share_stopped(stop, start) if stop and start else 1


def _node(group: Resource, prices: Prices) -> float:
    share = prices.spot_share if _spot(group) else 1.0
    return prices.instance_hour[_kind(group)] * prices.hours_a_month * share


def _spot(group: Resource) -> bool:
    return group.inputs.get("capacityType") == "SPOT"


def _label(group: Resource, share: float) -> str:
    kind = f"{_kind(group)} (spot)" if _spot(group) else _kind(group)
    return kind if share == 1 else f"{kind} for {share:.0%} of the time"


def _disks(resources: Sequence[Resource], prices: Prices) -> Part:
    templates = {one.name: one for one in _of(resources, "aws:ec2/launchTemplate:LaunchTemplate")}
    gib = sum(
        _running(group, resources) * _size(group) * int(disk["ebs"]["volumeSize"])
        for group in _of(resources, NODES)
        for disk in templates[f"{group.name}-template"].inputs["blockDeviceMappings"]
    )
    return Part(
        name="disks of nodes", monthly=gib * prices.month["GiB of disk"], reason=f"{gib:.0f} GiB"
    )


def _nat(resources: Sequence[Resource], prices: Prices) -> Part:
    count = len(_of(resources, "aws:ec2/natGateway:NatGateway"))
    addresses = len(_of(resources, "aws:ec2/eip:Eip"))
    return Part(
        name="NAT gateways with addresses",
        monthly=count * prices.monthly("NAT gateway")
        + addresses * prices.monthly("public address"),
        reason=f"{count}",
    )


def _endpoints(resources: Sequence[Resource], prices: Prices) -> Part:
    interfaces = [
        one
        for one in _of(resources, "aws:ec2/vpcEndpoint:VpcEndpoint")
        if one.inputs.get("vpcEndpointType") == "Interface"
    ]
    zones = sum(1 for one in resources if _private_subnet(one))
    count = len(interfaces)
    return Part(
        name="interface endpoints of ECR",
        monthly=count * zones * prices.monthly("endpoint in a zone"),
        reason=f"{count} in {zones} zones",
    )


def _private_subnet(one: Resource) -> bool:
    """The endpoints are in each private subnet, whose ids a preview does not know."""
    return one.type == "aws:ec2/subnet:Subnet" and (
        "kubernetes.io/role/internal-elb" in one.inputs.get("tags", {})
    )


def _keys(resources: Sequence[Resource], prices: Prices) -> Part:
    count = len(_of(resources, "aws:kms/key:Key"))
    return Part(name="KMS keys", monthly=count * prices.month["key"], reason=f"{count}")


PARTS: Sequence[Callable[[Sequence[Resource], Prices], Part]] = (
    _control_plane, _nodes, _disks, _nat, _endpoints, _keys,
)  # fmt: skip


def checked(
    environments: Mapping[str, Sequence[Resource]], prices: Prices
) -> Iterator[tuple[str, list[Part]]]:
    """The parts of each environment. NoPriceError names every type without a price."""
    missing = [
        (stack, kind)
        for stack, resources in environments.items()
        for kind in unknown_types(resources, prices)
    ]
    if missing:
        raise NoPriceError(missing)
    for stack, resources in environments.items():
        yield stack, parts(resources, prices)
