"""Checks of a VPC that somebody else looks after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from settings import Problem, SettingsError
from settings.stack import ExistingNetwork

LOAD_BALANCER_TAGS = {
    "public": "kubernetes.io/role/elb",
    "private": "kubernetes.io/role/internal-elb",
}
"""By these tags AWS's load balancer controller finds the subnets for its load balancers."""
ZONES = 2
"""EKS wants subnets in two zones at least."""


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """What AWS tells about a subnet."""

    vpc: str
    zone: str
    tags: Mapping[str, str]


def check(existing: ExistingNetwork, file: str, opts: pulumi.InvokeOptions) -> None:
    """Look the VPC and its subnets up and raise RunError with all that does not fit.

    Subnets without their load balancer tag are usable and only warned about: they are not ours
    to tag.
    """
    aws.ec2.get_vpc(id=existing.vpc, opts=opts)
    ids = [*existing.private_subnets, *existing.public_subnets]
    found = {subnet: _look_up(subnet, opts) for subnet in ids}
    if problems := list(misfits(existing, found, file)):
        raise pulumi.RunError(str(SettingsError(problems)))
    for warning in untagged(existing, found):
        pulumi.log.warn(warning)


def misfits(existing: ExistingNetwork, found: Mapping[str, Subnet], file: str) -> Iterator[Problem]:
    """Subnets of another VPC, and subnets in too few zones."""
    for key, ids in _groups(existing).items():
        for index, subnet in enumerate(ids):
            if found[subnet].vpc != existing.vpc:
                yield Problem(
                    file,
                    f"platform:network.existing.{key}Subnets[{index}]",
                    subnet,
                    f"belongs to {found[subnet].vpc} and not to {existing.vpc}",
                    "name a subnet of that VPC",
                )
        zones = {found[subnet].zone for subnet in ids}
        if ids and len(zones) < ZONES:
            yield Problem(
                file,
                f"platform:network.existing.{key}Subnets",
                ", ".join(ids),
                f"are all in {zones.pop()}, and EKS and load balancers want {ZONES} zones",
                "add a subnet in another zone",
            )


def untagged(existing: ExistingNetwork, found: Mapping[str, Subnet]) -> Iterator[str]:
    """Sentences about subnets that load balancers will not find."""
    for key, ids in _groups(existing).items():
        tag = LOAD_BALANCER_TAGS[key]
        for subnet in ids:
            if tag not in found[subnet].tags:
                yield (
                    f"{subnet} has no tag {tag}=1, so no load balancer will be placed in it; "
                    "ask its owner to add the tag"
                )


def _groups(existing: ExistingNetwork) -> dict[str, list[str]]:
    return {"private": existing.private_subnets, "public": existing.public_subnets}


def _look_up(subnet: str, opts: pulumi.InvokeOptions) -> Subnet:
    found = aws.ec2.get_subnet(id=subnet, opts=opts)
    return Subnet(vpc=found.vpc_id, zone=found.availability_zone, tags=found.tags)
