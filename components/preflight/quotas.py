"""Quotas of the account: whether what the environment needs still fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi_aws as aws

from components.preflight.asking import PreflightArgs, ask
from settings.nodes import NodeGroup
from settings.problems import Problem

STANDARD = frozenset("acdhimrtz")
"""The first letters of the instance families that share one quota of vCPUs; each other family has
its own (Amazon EC2 User Guide, "Amazon EC2 instance type quotas")."""


@dataclass(frozen=True)
class Quota:
    """A quota, by its codes in Service Quotas; what it counts, in words."""

    service: str
    code: str
    counts: str

    def limit(self) -> int:
        """How many the account may have in the region."""
        answer = ask(
            aws.servicequotas.get_service_quota, service_code=self.service, quota_code=self.code
        )
        return int(answer.value)


VPCS = Quota("vpc", "L-F678F1CE", "VPCs")
ADDRESSES = Quota("ec2", "L-0263D0A3", "Elastic IP addresses")
GATEWAYS = Quota("vpc", "L-FE5A380F", "NAT gateways in one zone")
VCPUS = {
    "on-demand": Quota("ec2", "L-1216C47A", "vCPUs of standard On-Demand instances"),
    "spot": Quota("ec2", "L-34B43A08", "vCPUs of standard Spot instances"),
}


def network(args: PreflightArgs) -> Iterator[Problem]:
    """A new VPC, and the addresses and gateways that its NAT lacks so far."""
    if args.network.existing:
        return
    tags = args.names.tags()
    if not ask(aws.ec2.get_vpcs, tags=tags).ids:
        yield from _room(args, VPCS, "network.cidr", len(ask(aws.ec2.get_vpcs).ids), 1)
    missing = len(args.nat_zones) - len(ask(aws.ec2.get_eips, tags=tags).allocation_ids)
    if missing > 0:
        used = len(ask(aws.ec2.get_eips).allocation_ids)
        yield from _room(args, ADDRESSES, "network.nat", used, missing)
        most = max(_gateways_in(f"{args.account.region}{letter}") for letter in args.nat_zones)
        yield from _room(args, GATEWAYS, "network.nat", most, 1)


def nodes(args: PreflightArgs) -> Iterator[Problem]:
    """The nodes to begin with, of node groups. What else runs in the account is not counted."""
    for capacity, quota in VCPUS.items():
        groups = [
            (index, group)
            for index, group in enumerate(args.cluster.node_groups)
            if group.capacity == capacity and group.instance_types[0][0] in STANDARD
        ]
        needed = sum(group.min_size * _vcpus(group) for _, group in groups)
        if needed:
            yield from _room(args, quota, f"cluster.nodeGroups[{groups[0][0]}].minSize", 0, needed)


def _room(
    args: PreflightArgs, quota: Quota, path: str, used: int, needed: int
) -> Iterator[Problem]:
    limit = quota.limit()
    if used + needed > limit:
        before = f", {used} are used" if used else ""
        yield args.problem(
            path,
            "",
            f"needs {needed} {quota.counts}; the quota of {args.account.region} is {limit}{before}",
            f"ask AWS for more of quota {quota.code} of {quota.service} in Service Quotas",
        )


def _gateways_in(zone: str) -> int:
    """NAT gateways of a zone: AWS lists them by subnet."""
    there = ask(aws.ec2.get_subnets, filters=[{"name": "availability-zone", "values": [zone]}]).ids
    if not there:
        return 0
    filters = [
        {"name": "subnet-id", "values": sorted(there)},
        {"name": "state", "values": ["pending", "available"]},
    ]
    return len(ask(aws.ec2.get_nat_gateways, filters=filters).ids)


def _vcpus(group: NodeGroup) -> int:
    """Of the smallest instance type of a group: one node has that many at least."""
    return min(
        ask(aws.ec2.get_instance_type, instance_type=kind).default_vcpus
        for kind in group.instance_types
    )
