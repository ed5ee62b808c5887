"""The network: how a range is divided, what is created, and what is checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import wiring
from components.existing.network import Found, Subnet, untagged
from components.network.network import Network
from components.network.subnets import divide
from settings.environment import Settings
from settings.loading import load_files
from settings.network import ExistingNetwork
from tests.unit.conftest import Bend
from tests.unit.existing import THEIR_WAY_IN, USABLE_VPC
from tests.unit.recording import Answer, Recorded, Recording, record

LARGEST_AWS_SUBNET, SMALLEST_LOAD_BALANCER_SUBNET = 16, 27

ranges = st.builds(
    lambda second, prefix: IPv4Network(f"10.{second}.0.0/{prefix}"),
    st.integers(0, 255),
    st.integers(16, 22),
)
letters = st.lists(st.sampled_from("abcdef"), min_size=2, max_size=3, unique=True)


def build(settings: Settings, **more: Any) -> Recording:
    def program() -> Any:
        network = Network("network", wiring.network(settings))
        return {
            "vpc": network.vpc_id,
            "private": network.private_subnet_ids,
            "control plane": network.control_plane_subnet_ids,
            "public": network.public_subnet_ids,
        }

    return record(program, **more)


# How a range is divided


@given(ranges, letters)
def test_subnets_lie_in_the_range_and_never_overlap(cidr: IPv4Network, zones: list[str]) -> None:
    subnets = [net for zone in divide(cidr, zones) for net in (zone.private, zone.public)]

    assert all(net.subnet_of(cidr) for net in subnets)
    assert not any(a.overlaps(b) for i, a in enumerate(subnets) for b in subnets[:i])


@given(ranges, letters)
def test_every_allowed_range_gives_subnets_that_aws_and_load_balancers_accept(
    cidr: IPv4Network, zones: list[str]
) -> None:
    for zone in divide(cidr, zones):
        assert zone.private.num_addresses > zone.public.num_addresses
        assert zone.private.prefixlen >= LARGEST_AWS_SUBNET
        assert zone.public.prefixlen <= SMALLEST_LOAD_BALANCER_SUBNET


@given(ranges, letters, letters)
def test_a_zone_keeps_its_subnets_whatever_happens_to_the_others(
    cidr: IPv4Network, before: list[str], after: list[str]
) -> None:
    then = {zone.letter: zone for zone in divide(cidr, before)}
    now = {zone.letter: zone for zone in divide(cidr, after)}

    assert all(then[letter] == now[letter] for letter in then.keys() & now.keys())


def test_a_sixteen_is_divided_into_nineteens_and_twenty_ones() -> None:
    a, c = divide(IPv4Network("10.20.0.0/16"), ["a", "c"])

    assert (str(a.private), str(a.public)) == ("10.20.0.0/19", "10.20.192.0/21")
    assert (str(c.private), str(c.public)) == ("10.20.64.0/19", "10.20.208.0/21")


# What is created


@pytest.fixture(scope="session")
def dev_network(dev: Settings) -> Recording:
    return build(dev)


@pytest.fixture(scope="session")
def prod_network(prod: Settings) -> Recording:
    return build(prod)


def test_one_nat_gateway_serves_all_zones_of_dev(dev_network: Recording) -> None:
    gateway = dev_network.one("aws:ec2/natGateway:NatGateway")

    out = [route.inputs.get("natGatewayId") for route in private_routes(dev_network)]

    assert out == [f"{gateway.name}-id"] * 2


def test_each_zone_of_prod_has_its_own_nat_gateway(prod_network: Recording) -> None:
    out = [route.inputs.get("natGatewayId") for route in private_routes(prod_network)]

    assert out == ["network-nat-a-id", "network-nat-b-id", "network-nat-c-id"]


def test_a_nat_gateway_more_changes_routes_and_replaces_nothing(
    dev_network: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config["platform:network"].update(nat="per-zone"))

    after = build(load_files("dev", configuration))

    before_inputs, after_inputs = by_name(dev_network), by_name(after)
    assert after_inputs.keys() - before_inputs.keys() == {
        "network-nat-b",
        "network-nat-b-address",
    }
    changed = {name for name in before_inputs if before_inputs[name] != after_inputs[name]}
    assert changed == {"network-private-b-out"}


def test_a_third_zone_changes_nothing_of_the_other_two(
    dev_network: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config["platform:network"].update(zones=["a", "c", "b"]))

    after = by_name(build(load_files("dev", configuration)))

    before = by_name(dev_network)
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"network-s3", "network-ecr-api", "network-ecr-dkr"}, (
        "only the endpoints reach into the new zone"
    )


def test_nodes_have_no_public_address_and_no_route_in_from_the_internet(
    prod_network: Recording,
) -> None:
    assert all(
        subnet.inputs["mapPublicIpOnLaunch"] is False
        for subnet in prod_network.of("aws:ec2/subnet:Subnet")
    )
    assert all("gatewayId" not in route.inputs for route in private_routes(prod_network))


def test_load_balancers_find_their_subnets_by_tag(dev_network: Recording) -> None:
    for subnet in dev_network.of("aws:ec2/subnet:Subnet"):
        tag = "internal-elb" if "private" in subnet.name else "elb"
        roles = {tag for tag in subnet.inputs["tags"] if tag.startswith("kubernetes.io/role/")}
        assert roles == {f"kubernetes.io/role/{tag}"}


def test_the_default_security_group_lets_nothing_through(dev_network: Recording) -> None:
    group = dev_network.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")

    assert group.inputs.keys() == {"vpcId", "tags"}, "taken over without rules, it has none"


def test_images_are_pulled_without_leaving_aws(dev_network: Recording) -> None:
    endpoints = {
        endpoint.inputs["serviceName"]: endpoint.inputs
        for endpoint in dev_network.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }

    assert endpoints.keys() == {
        "com.amazonaws.eu-central-1.s3",
        "com.amazonaws.eu-central-1.ecr.api",
        "com.amazonaws.eu-central-1.ecr.dkr",
    }
    for part in ("api", "dkr"):
        endpoint = endpoints[f"com.amazonaws.eu-central-1.ecr.{part}"]
        assert endpoint["privateDnsEnabled"] is True, "or the registry's name leads outside"
    assert endpoints["com.amazonaws.eu-central-1.s3"]["routeTableIds"] == [
        "network-private-a-routes-id",
        "network-private-b-routes-id",
    ]


def test_images_may_leave_aws_where_that_is_cheaper(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda c: c["platform:network"].update(registryEndpoints=False))
    recording = build(load_files("dev", configuration))

    (endpoint,) = recording.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    assert endpoint.inputs["serviceName"] == "com.amazonaws.eu-central-1.s3", "it costs nothing"
    recording.assert_none("aws:ec2/securityGroup:SecurityGroup")


def test_in_china_the_registrys_endpoints_have_names_of_their_own(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda c: c.update({"aws:region": "cn-north-1"}))
    bend("Pulumi.dev.yaml", lambda c: c["platform:network"].update(registryEndpoints=True))
    recording = build(load_files("dev", configuration))
    endpoints = recording.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    names = {endpoint.inputs["serviceName"] for endpoint in endpoints}
    assert names == {
        "com.amazonaws.cn-north-1.s3",
        "cn.com.amazonaws.cn-north-1.ecr.api",
        "cn.com.amazonaws.cn-north-1.ecr.dkr",
    }


PUSHING = {
    "ecr:BatchDeleteImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
}


def test_from_inside_the_network_images_can_be_read_and_not_pushed(
    dev_network: Recording,
) -> None:
    for part in ("api", "dkr"):
        endpoint = dev_network.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"network-ecr-{part}")
        reading, keeping = json.loads(endpoint.inputs["policy"])["Statement"]
        assert "ecr:BatchGetImage" in reading["Action"]
        assert "ecr:CreateRepository" in keeping["Action"], "Pulumi may run in the network"
        assert keeping["Resource"] == ["arn:aws:ecr:eu-central-1:123456789012:repository/*"]
        assert not PUSHING & {*reading["Action"], *keeping["Action"]}
        for statement in (reading, keeping):
            principal = {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
            assert statement["Condition"] == principal


def test_flow_logs_are_kept_only_where_they_are_wanted(
    dev_network: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config["platform:network"].update(flowLogs=True))

    wanted = build(load_files("dev", configuration))

    dev_network.assert_none("aws:ec2/flowLog:FlowLog")
    log = wanted.one("aws:ec2/flowLog:FlowLog")
    policy = wanted.one("aws:iam/rolePolicy:RolePolicy")
    assert log.inputs["trafficType"] == "ALL"
    assert wanted.waits_for(log, policy), "without its rights the flow log would fail at first"
    assert wanted.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 14


def test_every_vpc_is_protected_until_a_person_names_it(
    dev_network: Recording, prod_network: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", lambda config: config.update({"platform:unprotected": ["network"]}))

    lifted = build(load_files("prod", configuration))

    protected = [r.one("aws:ec2/vpc:Vpc").protect for r in (dev_network, prod_network, lifted)]
    assert protected == [True, True, False]


# A network that exists

VPC = "vpc-0a1b2c3d4e5f60718"
SUBNETS = {
    "subnet-0000000a": ("eu-central-1a", VPC),
    "subnet-0000000b": ("eu-central-1b", VPC),
    "subnet-0000000c": ("eu-central-1a", VPC),
    "subnet-0000000d": ("eu-central-1b", "vpc-0ffffffffffffffff"),
    "subnet-0000000f": ("eu-central-1c", VPC),
}


def one_subnet(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    zone, vpc = SUBNETS[inputs["id"]]
    return {"id": inputs["id"], "availabilityZone": zone, "vpcId": vpc, "tags": {}}


def listed(there: Collection[str]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """How AWS lists what there is of what was asked for."""
    return lambda inputs: {"ids": [one for one in inputs["filters"][0]["values"] if one in there]}


def use_existing(
    configuration: Path,
    bend: Bend,
    private: list[str],
    public: list[str],
    vpc: str = VPC,
    **differently: Any,
) -> Recording:
    existing = {"vpc": vpc, "privateSubnets": private, "publicSubnets": public}
    bend(
        "Pulumi.dev.yaml",
        lambda config: config.update(
            {"platform:network": {"existing": existing}, "platform:ingress": THEIR_WAY_IN}
        ),
    )
    answers: dict[str, Answer] = {
        "aws:ec2/getVpcs:getVpcs": listed([VPC]),
        "aws:ec2/getVpc:getVpc": {**USABLE_VPC, **differently},
        "aws:ec2/getSubnets:getSubnets": listed(SUBNETS),
        "aws:ec2/getSubnet:getSubnet": one_subnet,
    }
    return build(load_files("dev", configuration), answers=answers)


def test_an_existing_network_is_used_and_left_as_it_is(configuration: Path, bend: Bend) -> None:
    used = use_existing(configuration, bend, ["subnet-0000000a", "subnet-0000000b"], [])

    assert [resource.type for resource in used.resources] == ["twospeed:index:Network"]
    assert used.result == {
        "vpc": VPC,
        "private": ["subnet-0000000a", "subnet-0000000b"],
        "control plane": ["subnet-0000000a", "subnet-0000000b"],
        "public": [],
    }


def test_subnets_without_the_tag_of_load_balancers_are_a_warning(
    configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", warnings.append)
    private = ["subnet-0000000a", "subnet-0000000b"]
    use_existing(configuration, bend, private, ["subnet-0000000c", "subnet-0000000f"])

    words = "=1, so no load balancer will be placed in it; ask its owner to add the tag"
    assert warnings == [
        f"subnet-0000000a has no tag kubernetes.io/role/internal-elb{words}",
        f"subnet-0000000b has no tag kubernetes.io/role/internal-elb{words}",
        f"subnet-0000000c has no tag kubernetes.io/role/elb{words}",
        f"subnet-0000000f has no tag kubernetes.io/role/elb{words}",
    ]


def test_subnets_with_the_tag_are_no_warning() -> None:
    existing = ExistingNetwork.model_validate(
        {
            "vpc": VPC,
            "privateSubnets": ["subnet-0000000a", "subnet-0000000b"],
            "publicSubnets": ["subnet-0000000c"],
        }
    )
    tags = {"private": {"kubernetes.io/role/internal-elb": "1"}, "public": {"Name": "c"}}
    found = Found(
        vpc=None,
        subnets={
            "subnet-0000000a": Subnet(vpc=VPC, zone="a", tags=tags["private"]),
            "subnet-0000000b": Subnet(vpc=VPC, zone="b", tags=tags["private"]),
            "subnet-0000000c": Subnet(vpc=VPC, zone="a", tags=tags["public"]),
        },
    )
    assert list(untagged(existing, found)) == [
        "subnet-0000000c has no tag kubernetes.io/role/elb=1, so no load balancer will be placed "
        "in it; ask its owner to add the tag"
    ]


def test_a_zone_that_comes_later_is_for_nodes_alone(configuration: Path, bend: Bend) -> None:
    private = ["subnet-0000000f", "subnet-0000000a", "subnet-0000000b", "subnet-0000000c"]
    used = use_existing(configuration, bend, private, [])

    assert used.result["private"] == private
    assert used.result["control plane"] == [
        "subnet-0000000f",
        "subnet-0000000a",
        "subnet-0000000c",
    ]


def test_subnets_in_one_zone_and_of_another_vpc_are_reported_together(
    configuration: Path, bend: Bend
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        use_existing(
            configuration,
            bend,
            ["subnet-0000000a", "subnet-0000000c"],
            ["subnet-0000000a", "subnet-0000000d"],
        )

    assert reported(refused) == [
        "platform:network.existing.privateSubnets: are all in eu-central-1a, and EKS and load "
        "balancers want 2 zones (given: subnet-0000000a, subnet-0000000c); add a subnet in another "
        "zone",
        "platform:network.existing.publicSubnets[1]: belongs to vpc-0ffffffffffffffff and not to "
        f"{VPC} (given: subnet-0000000d); name a subnet of that VPC",
    ]


def test_a_vpc_that_cannot_hold_a_cluster_says_why(configuration: Path, bend: Bend) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        use_existing(
            configuration,
            bend,
            ["subnet-0000000a", "subnet-0000000b"],
            [],
            enableDnsSupport=False,
            enableDnsHostnames=False,
            cidrBlockAssociations=[
                {"associationId": "1", "cidrBlock": "172.20.4.0/22", "state": "associated"}
            ],
        )

    assert reported(refused) == [
        f"platform:cluster.serviceCidr: overlaps 172.20.4.0/22 of {VPC} (given: 172.20.0.0/16); "
        "choose another private range",
        "platform:network.existing.vpc: has enableDnsHostnames off, and nodes need it to find a "
        f"private endpoint (given: {VPC}); ask its owner to turn it on",
        "platform:network.existing.vpc: has enableDnsSupport off, and nodes need it to find a "
        f"private endpoint (given: {VPC}); ask its owner to turn it on",
    ]
    assert str(refused.value).count("Pulumi.dev.yaml:") == 3


def test_what_does_not_exist_is_named_and_no_zone_is_guessed(
    configuration: Path, bend: Bend
) -> None:
    nowhere, lost = "vpc-0eeeeeeeeeeeeeeee", "subnet-0000000e"
    with pytest.raises(pulumi.RunError) as refused:
        use_existing(configuration, bend, ["subnet-0000000a", lost], [], vpc=nowhere)

    missing = (
        "does not exist in the account and region of this stack (given: {}); correct it, or "
        "aws:region"
    )
    assert reported(refused) == [
        "platform:network.existing.privateSubnets[0]: belongs to vpc-0a1b2c3d4e5f60718 and not to "
        f"{nowhere} (given: subnet-0000000a); name a subnet of that VPC",
        f"platform:network.existing.privateSubnets[1]: {missing.format(lost)}",
        f"platform:network.existing.vpc: {missing.format(nowhere)}",
    ]


def reported(refused: pytest.ExceptionInfo[pulumi.RunError]) -> list[str]:
    """The problems of a report, without the file and its lines."""
    return [line.partition(": ")[2] for line in str(refused.value).splitlines()[1:]]


def private_routes(recording: Recording) -> list[Recorded]:
    found = [r for r in recording.of("aws:ec2/route:Route") if "private" in r.name]
    assert found
    return found


def by_name(recording: Recording) -> dict[str, Mapping[str, Any]]:
    return {resource.name: resource.inputs for resource in recording.resources}
