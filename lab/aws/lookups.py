"""The functions of the SDK that ask AWS and create nothing (`aws.ec2.get_vpc` and the like)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.aws.errors import LabAwsError, UnknownTokenError
from lab.aws.kinds import KINDS
from lab.aws.resources import Resources
from lab.aws.table import Values


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One function: what it may be asked, and how it is answered."""

    arguments: tuple[str, ...]
    answer: Callable[[Resources, Values], Values]


def look_up(resources: Resources, token: str, arguments: Values) -> Values:
    """The answer of a function. Raises LabAwsError when nothing or too much matches."""
    lookup = LOOKUPS.get(token)
    if lookup is None:
        raise UnknownTokenError(token, LOOKUPS)
    given = {name: value for name, value in arguments.items() if value is not None}
    unknown = sorted(set(given) - {*lookup.arguments, "region"})
    if unknown:
        raise LabAwsError(
            f"the lab does not play {', '.join(unknown)} of {token}; it plays "
            f"{', '.join(lookup.arguments)}. Add it in lab/aws/lookups.py"
        )
    answer = lookup.answer(resources, given)
    return {"region": resources.aws.region, **answer}


def _read(resources: Resources, token: str, identifier: str) -> Values:
    """The state of an existing resource, by its id."""
    kind = KINDS[token]
    found = resources.read(kind, "", identifier, {}, {})
    if found is None:
        raise LabAwsError(f"{token} {identifier} does not exist")
    return {**found[1], "id": identifier}


def _filters(arguments: Values, **named: str) -> list[dict[str, Any]]:
    given = [
        {
            "Name": name,
            "Values": [
                str(arguments[argument]).lower()
                if isinstance(arguments[argument], bool)
                else arguments[argument]
            ],
        }
        for argument, name in named.items()
        if argument in arguments
    ]
    free = [{"Name": one["name"], "Values": one["values"]} for one in arguments.get("filters", [])]
    tags = [
        {"Name": f"tag:{key}", "Values": [text]} for key, text in arguments.get("tags", {}).items()
    ]
    return given + free + tags


def _only(found: list[Values], what: str) -> Values:
    match found:
        case [one]:
            return one
        case []:
            raise LabAwsError(f"no {what} match; look for what exists")
    raise LabAwsError(f"{len(found)} {what} match; narrow the search to exactly one")


def _vpc(resources: Resources, arguments: Values) -> Values:
    filters = _filters(
        arguments, id="vpc-id", cidrBlock="cidr", default="is-default", state="state"
    )
    vpcs = resources.aws.call("ec2", "describe_vpcs", Filters=filters or None)["Vpcs"]
    vpc = _only(vpcs, "VPCs")
    blocks = [
        {
            "associationId": one["AssociationId"],
            "cidrBlock": one["CidrBlock"],
            "state": one["CidrBlockState"]["State"],
        }
        for one in vpc.get("CidrBlockAssociationSet", [])
    ]
    return {
        **_read(resources, "aws:ec2/vpc:Vpc", vpc["VpcId"]),
        "cidrBlockAssociations": blocks,
        "default": vpc.get("IsDefault", False),
        "state": vpc["State"],
    }


def _vpcs(resources: Resources, arguments: Values) -> Values:
    vpcs = resources.aws.call("ec2", "describe_vpcs", Filters=_filters(arguments) or None)["Vpcs"]
    return _listed(resources, arguments, ids=[vpc["VpcId"] for vpc in vpcs])


def _subnet(resources: Resources, arguments: Values) -> Values:
    filters = _filters(
        arguments,
        id="subnet-id",
        vpcId="vpc-id",
        cidrBlock="cidr-block",
        availabilityZone="availability-zone",
        state="state",
    )
    subnets = resources.aws.call("ec2", "describe_subnets", Filters=filters or None)["Subnets"]
    subnet = _only(subnets, "subnets")
    return {
        **_read(resources, "aws:ec2/subnet:Subnet", subnet["SubnetId"]),
        "availableIpAddressCount": subnet["AvailableIpAddressCount"],
        "defaultForAz": subnet["DefaultForAz"],
        "state": subnet["State"],
    }


def _subnets(resources: Resources, arguments: Values) -> Values:
    filters = _filters(arguments) or None
    subnets = resources.aws.call("ec2", "describe_subnets", Filters=filters)["Subnets"]
    return _listed(resources, arguments, ids=[subnet["SubnetId"] for subnet in subnets])


def _listed(resources: Resources, arguments: Values, *, ids: list[str]) -> Values:
    return {"ids": sorted(ids), "id": resources.aws.region, "tags": arguments.get("tags", {})}


def _zones(resources: Resources, arguments: Values) -> Values:
    filters = _filters(arguments, state="state") or None
    answer = resources.aws.call("ec2", "describe_availability_zones", Filters=filters)
    zones = sorted(answer["AvailabilityZones"], key=lambda zone: str(zone["ZoneName"]))
    kept = [
        zone
        for zone in zones
        if zone["ZoneName"] not in arguments.get("excludeNames", [])
        and zone["ZoneId"] not in arguments.get("excludeZoneIds", [])
    ]
    return {
        **arguments,
        "id": resources.aws.region,
        "names": [zone["ZoneName"] for zone in kept],
        "zoneIds": [zone["ZoneId"] for zone in kept],
        "groupNames": sorted({zone.get("GroupName", resources.aws.region) for zone in kept}),
    }


def _cluster(resources: Resources, arguments: Values) -> Values:
    state = _read(resources, "aws:eks/cluster:Cluster", arguments["name"])
    return {
        **state,
        "accessConfigs": [state["accessConfig"]],
        "certificateAuthorities": [state["certificateAuthority"]],
        "kubernetesNetworkConfigs": [state["kubernetesNetworkConfig"]],
    }


def _clusters(resources: Resources, arguments: Values) -> Values:
    names = resources.aws.call("eks", "list_clusters")["clusters"]
    return {"names": sorted(names), "id": resources.aws.region}


def _oidc_provider(resources: Resources, arguments: Values) -> Values:
    if ("arn" in arguments) == ("url" in arguments):
        raise LabAwsError("getOpenIdConnectProvider needs either arn or url")
    host = str(arguments.get("url", "")).removeprefix("https://")
    identifier = arguments.get("arn", f"arn:aws:iam::{resources.aws.account}:oidc-provider/{host}")
    return _read(resources, "aws:iam/openIdConnectProvider:OpenIdConnectProvider", identifier)


def _identity(resources: Resources, arguments: Values) -> Values:
    answer = resources.aws.call("sts", "get_caller_identity")
    return {
        "accountId": answer["Account"],
        "arn": answer["Arn"],
        "userId": answer["UserId"],
        "id": answer["Account"],
    }


def _repository(resources: Resources, arguments: Values) -> Values:
    state = _read(resources, "aws:ecr/repository:Repository", arguments["name"])
    images = resources.aws.call("ecr", "describe_images", repositoryName=arguments["name"])
    newest = sorted(
        images["imageDetails"], key=lambda image: str(image.get("imagePushedAt")), reverse=True
    )
    scanning = state.get("imageScanningConfiguration")
    return {
        **state,
        "imageScanningConfigurations": [scanning] if scanning else [],
        "mostRecentImageTags": newest[0].get("imageTags", []) if newest else [],
    }


LOOKUPS: dict[str, Lookup] = {
    "aws:ec2/getVpc:getVpc": Lookup(
        arguments=("id", "cidrBlock", "default", "state", "filters", "tags"), answer=_vpc
    ),
    "aws:ec2/getVpcs:getVpcs": Lookup(arguments=("filters", "tags"), answer=_vpcs),
    "aws:ec2/getSubnet:getSubnet": Lookup(
        arguments=("id", "vpcId", "cidrBlock", "availabilityZone", "state", "filters", "tags"),
        answer=_subnet,
    ),
    "aws:ec2/getSubnets:getSubnets": Lookup(arguments=("filters", "tags"), answer=_subnets),
    "aws:index/getAvailabilityZones:getAvailabilityZones": Lookup(
        arguments=("state", "filters", "excludeNames", "excludeZoneIds"), answer=_zones
    ),
    "aws:eks/getClusters:getClusters": Lookup(arguments=(), answer=_clusters),
    "aws:eks/getCluster:getCluster": Lookup(arguments=("name",), answer=_cluster),
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": Lookup(
        arguments=("arn", "url"), answer=_oidc_provider
    ),
    "aws:index/getCallerIdentity:getCallerIdentity": Lookup(arguments=(), answer=_identity),
    "aws:ecr/getRepository:getRepository": Lookup(arguments=("name",), answer=_repository),
}
