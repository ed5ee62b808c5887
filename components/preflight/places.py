"""Zones: of availability, which EKS takes and what can be had in them; and of names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pulumi_aws as aws

from components.preflight.asking import PreflightArgs, UnansweredError, ask
from settings.network import control_plane_zones
from settings.problems import Problem

WITHOUT_CONTROL_PLANES = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Ids of zones where EKS puts no control plane (Amazon EKS User Guide, "VPC and subnet
requirements"). Accounts have other letters for the same id."""


def zones(args: PreflightArgs) -> Iterator[Problem]:
    """Every zone of a new network exists, and the first two take a control plane."""
    if args.network.existing:
        return
    wanted = [{"name": "zone-type", "values": ["availability-zone"]}]
    found = ask(aws.get_availability_zones, state="available", filters=wanted)
    ids = dict(zip(found.names, found.zone_ids, strict=True))
    letters = ", ".join(sorted(name.removeprefix(args.account.region) for name in ids))
    for index, letter in enumerate(args.network.zones):
        zone = ids.get(f"{args.account.region}{letter}")
        if zone is None:
            yield args.problem(
                f"network.zones[{index}]",
                letter,
                f"is no zone of {args.account.region} for this account",
                f"choose among {letters}",
            )
        elif letter in control_plane_zones(args.network.zones) and zone in WITHOUT_CONTROL_PLANES:
            yield args.problem(
                f"network.zones[{index}]",
                letter,
                f"is {zone}, where EKS puts no control plane, and the first two zones hold it",
                "name another zone before it",
            )


def instance_types(args: PreflightArgs) -> Iterator[Problem]:
    """In each zone of a new network a node group finds one of its instance types."""
    groups = args.cluster.node_groups
    wanted = sorted({kind for group in groups for kind in group.instance_types})
    if args.network.existing or not wanted:
        return
    found = ask(
        aws.ec2.get_instance_type_offerings,
        location_type="availability-zone",
        filters=[{"name": "instance-type", "values": wanted}],
    )
    offered = set(zip(found.locations, found.instance_types, strict=True))
    for index, group in enumerate(groups):
        empty = [
            letter
            for letter in args.network.zones
            if not any(
                (f"{args.account.region}{letter}", kind) in offered for kind in group.instance_types
            )
        ]
        if empty:
            yield args.problem(
                f"cluster.nodeGroups[{index}].instanceTypes",
                ", ".join(group.instance_types),
                f"has none that EC2 offers in zone {' and '.join(empty)}",
                "add a type that is offered there",
            )


def hosted_zone(args: PreflightArgs) -> Iterator[Problem]:
    """The zone of the names is there, once, and public: elsewhere AWS proves no certificate."""
    zone = args.ingress and args.ingress.zone
    if not zone:
        return
    public = _zones(zone, private=False)
    if public == "one":
        return
    rule, remedy = "is no hosted zone of this account", "create it, or name another"
    if public == "several":
        rule, remedy = (
            "is the name of several public hosted zones",
            "delete those that are not used",
        )
    elif _zones(zone, private=True) != "none":
        rule = "is a private hosted zone, where AWS proves no certificate, and no public one"
        remedy = "create a public zone of that name; the load balancer can stay internal"
    yield args.problem("ingress.zone", zone, rule, remedy)


def _zones(name: str, *, private: bool) -> Literal["none", "one", "several"]:
    """How many hosted zones have a name."""
    try:
        ask(aws.route53.get_zone, name=name, private_zone=private)
    except UnansweredError as error:  # in the words of the provider
        if "no matching Route 53 Hosted Zone found" in str(error):
            return "none"
        if "multiple Route 53 Hosted Zones matched" in str(error):
            return "several"
        raise
    return "one"
