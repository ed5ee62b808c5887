"""An existing VPC: what AWS says about it, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from settings.network import ExistingNetwork, control_plane_zones
from settings.problems import Problem

LOAD_BALANCER_TAGS = {
    "public": "kubernetes.io/role/elb",
    "private": "kubernetes.io/role/internal-elb",
}
"""By these tags AWS's load balancer controller finds the subnets for its load balancers."""
ZONES = 2
"""EKS wants subnets in two zones at least."""


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """What AWS says about a VPC."""

    ranges: tuple[IPv4Network, ...]
    dns_support: bool
    dns_hostnames: bool


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """What AWS says about a subnet."""

    vpc: str
    zone: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The VPC and subnets of the settings, as far as they exist in this account and region."""

    vpc: Vpc | None
    subnets: Mapping[str, Subnet]


def look_up(existing: ExistingNetwork, opts: pulumi.InvokeOptions) -> Found:
    """Asks AWS for lists: a look-up of one missing object would fail."""
    ids = [*existing.private_subnets, *existing.public_subnets]
    vpcs = aws.ec2.get_vpcs(filters=[{"name": "vpc-id", "values": [existing.vpc]}], opts=opts)
    subnets = aws.ec2.get_subnets(filters=[{"name": "subnet-id", "values": ids}], opts=opts)
    return Found(
        vpc=_vpc(existing.vpc, opts) if existing.vpc in vpcs.ids else None,
        subnets={subnet: _subnet(subnet, opts) for subnet in sorted(subnets.ids)},
    )


def obstacles(identifier: str, vpc: Vpc, services: IPv4Network, file: str) -> Iterator[Problem]:
    """Why a new cluster whose `services` have that range cannot be made in the VPC."""
    for wanted, there in (
        ("enableDnsSupport", vpc.dns_support),
        ("enableDnsHostnames", vpc.dns_hostnames),
    ):
        if not there:
            yield Problem(
                file,
                "platform:network.existing.vpc",
                identifier,
                f"has {wanted} off, and nodes need it to find a private endpoint",
                "ask its owner to turn it on",
            )
    for network in vpc.ranges:
        if network.overlaps(services):
            yield Problem(
                file,
                "platform:cluster.serviceCidr",
                str(services),
                f"overlaps {network} of {identifier}",
                "choose another private range",
            )


def misfits(existing: ExistingNetwork, found: Found, file: str) -> Iterator[Problem]:
    """What does not exist, subnets of another VPC, and those in too few zones."""
    place = "platform:network.existing"
    if found.vpc is None:
        yield _missing(file, f"{place}.vpc", existing.vpc)
    for key, ids in _groups(existing).items():
        for index, subnet in enumerate(ids):
            at = f"{place}.{key}Subnets[{index}]"
            if subnet not in found.subnets:
                yield _missing(file, at, subnet)
            elif found.subnets[subnet].vpc != existing.vpc:
                rule = f"belongs to {found.subnets[subnet].vpc} and not to {existing.vpc}"
                yield Problem(file, at, subnet, rule, "name a subnet of that VPC")
        zones = {found.subnets[subnet].zone for subnet in ids if subnet in found.subnets}
        if ids and len(zones) < ZONES and found.subnets.keys() >= set(ids):
            yield Problem(
                file,
                f"{place}.{key}Subnets",
                ", ".join(ids),
                f"are all in {zones.pop()}, and EKS and load balancers want {ZONES} zones",
                "add a subnet in another zone",
            )


def of_the_control_plane(existing: ExistingNetwork, found: Found) -> list[str]:
    """The private subnets in the first two zones of their list: others may come later."""
    zones = [found.subnets[subnet].zone for subnet in existing.private_subnets]
    first = control_plane_zones(list(dict.fromkeys(zones)))
    return [subnet for subnet in existing.private_subnets if found.subnets[subnet].zone in first]


def untagged(existing: ExistingNetwork, found: Found) -> Iterator[str]:
    """A warning for each subnet that load balancers will not find; its owner tags it."""
    for key, ids in _groups(existing).items():
        tag = LOAD_BALANCER_TAGS[key]
        for subnet in ids:
            if tag not in found.subnets[subnet].tags:
                yield (
                    f"{subnet} has no tag {tag}=1, so no load balancer will be placed in it; "
                    "ask its owner to add the tag"
                )


def _missing(file: str, path: str, identifier: str) -> Problem:
    rule = "does not exist in the account and region of this stack"
    return Problem(file, path, identifier, rule, "correct it, or aws:region")


def _groups(existing: ExistingNetwork) -> dict[str, list[str]]:
    return {"private": existing.private_subnets, "public": existing.public_subnets}


def _vpc(vpc: str, opts: pulumi.InvokeOptions) -> Vpc:
    found = aws.ec2.get_vpc(id=vpc, opts=opts)
    return Vpc(
        ranges=tuple(IPv4Network(one.cidr_block) for one in found.cidr_block_associations),
        dns_support=found.enable_dns_support,
        dns_hostnames=found.enable_dns_hostnames,
    )


def _subnet(subnet: str, opts: pulumi.InvokeOptions) -> Subnet:
    found = aws.ec2.get_subnet(id=subnet, opts=opts)
    return Subnet(vpc=found.vpc_id, zone=found.availability_zone, tags=found.tags)
