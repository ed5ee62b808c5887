"""The preflight: what AWS tells before anything is created, in one report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest

from components import wiring
from components.preflight.access import is_principal
from components.preflight.asking import UnansweredError, ask
from components.preflight.preflight import CHECKS, preflight
from settings.environment import Settings
from settings.loading import load_files
from tests.committed import on_node_groups
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.existing import existing_network
from tests.unit.recording import Answer, Recording, record
from tests.unit.whole_program import account

Warnings = list[str]
ROLES = "aws:iam/getRoles:getRoles"
USERS = "aws:iam/getUsers:getUsers"
CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
OFFERINGS = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
QUOTA = "aws:servicequotas/getServiceQuota:getServiceQuota"
VPCS = "aws:ec2/getVpcs:getVpcs"
ADDRESSES = "aws:ec2/getEips:getEips"
SUBNETS = "aws:ec2/getSubnets:getSubnets"
GATEWAYS = "aws:ec2/getNatGateways:getNatGateways"
CLUSTERS = "aws:eks/getClusters:getClusters"
CLUSTER = "aws:eks/getCluster:getCluster"
REPOSITORIES = "aws:ecr/getRepositories:getRepositories"
REPOSITORY = "aws:ecr/getRepository:getRepository"
ISSUER = "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider"
HOSTED_ZONE = "aws:route53/getZone:getZone"
OURS = {"Organization": "acme", "Environment": "dev", "ManagedBy": "pulumi"}


@pytest.fixture
def dev(configuration: Path, bend: Bend) -> Settings:
    """The fast environment on a node group, whose machines are known before they start."""
    bend("Pulumi.dev.yaml", on_node_groups)
    return load_files("dev", configuration)


class Refused(grpc.RpcError):  # type: ignore[misc]
    """What the engine answers where the provider has an error."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self.said


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> Warnings:
    told: Warnings = []
    monkeypatch.setattr(pulumi.log, "warn", told.append)
    return told


def run(settings: Settings, answers: Mapping[str, Answer], *, preview: bool = True) -> Recording:
    return record(
        lambda: preflight(wiring.preflight(settings), settings.sources),
        answers=answers,
        preview=preview,
    )


def report(settings: Settings, answers: Mapping[str, Answer]) -> list[str]:
    """The problems, without the heading."""
    with pytest.raises(pulumi.RunError) as refused:
        run(settings, answers)
    heading, *lines = str(refused.value).splitlines()
    assert heading.endswith("in the configuration, nothing was created:")
    return [line.removeprefix("  - ") for line in lines]


def test_an_account_that_fits_is_told_nothing(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        recording = run(settings, account(settings))
        assert recording.resources == []


def test_an_account_that_fits_leaves_nothing_unchecked(
    dev: Settings, prod: Settings, warnings: Warnings
) -> None:
    for settings in (dev, prod):
        run(settings, account(settings))
    assert warnings == []


def test_aws_is_asked_for_what_the_environment_needs_and_no_more(dev: Settings) -> None:
    answers: dict[str, Answer] = {
        **account(dev),
        SUBNETS: {"ids": ["subnet-2", "subnet-1"]},
        GATEWAYS: {"ids": []},
        CLUSTERS: {"names": ["acme-dev"]},
        CLUSTER: {"tags": {**OURS, "Name": "acme-dev"}},
        REPOSITORIES: {"names": ["community/leaderboard"]},
        REPOSITORY: {"tags": {**OURS, "Service": "leaderboard"}},
    }
    calls = run(dev, answers).calls
    assert [(call.token.rpartition(":")[2], call.inputs) for call in calls] == [
        ("getCallerIdentity", {}),
        ("getRoles", {}),
        (
            "getAvailabilityZones",
            {
                "filters": [{"name": "zone-type", "values": ["availability-zone"]}],
                "state": "available",
            },
        ),
        (
            "getInstanceTypeOfferings",
            {
                "filters": [{"name": "instance-type", "values": ["m6i.large", "m7i.large"]}],
                "locationType": "availability-zone",
            },
        ),
        ("getZone", {"name": "dev.acme.example", "privateZone": False}),
        ("getVpcs", {"tags": OURS}),
        ("getVpcs", {}),
        ("getServiceQuota", {"quotaCode": "L-F678F1CE", "serviceCode": "vpc"}),
        ("getEips", {"tags": OURS}),
        ("getEips", {}),
        ("getServiceQuota", {"quotaCode": "L-0263D0A3", "serviceCode": "ec2"}),
        (
            "getSubnets",
            {"filters": [{"name": "availability-zone", "values": ["eu-central-1a"]}]},
        ),
        (
            "getNatGateways",
            {
                "filters": [
                    {"name": "subnet-id", "values": ["subnet-1", "subnet-2"]},
                    {"name": "state", "values": ["pending", "available"]},
                ]
            },
        ),
        ("getServiceQuota", {"quotaCode": "L-FE5A380F", "serviceCode": "vpc"}),
        ("getInstanceType", {"instanceType": "m7i.large"}),
        ("getInstanceType", {"instanceType": "m6i.large"}),
        ("getServiceQuota", {"quotaCode": "L-1216C47A", "serviceCode": "ec2"}),
        ("getClusters", {}),
        ("getCluster", {"name": "acme-dev"}),
        ("getRepositories", {}),
        ("getRepository", {"name": "community/leaderboard"}),
        (
            "getOpenIdConnectProvider",
            {"url": "https://oidc.circleci.com/org/8e2a1f3c-6f0b-4a54-9d3b-0c1d5b7e9a10"},
        ),
        ("getOpenIdConnectProvider", {"url": "https://token.actions.githubusercontent.com"}),
    ]


def test_auto_mode_asks_for_no_machines(configuration: Path) -> None:
    (configuration / "Pulumi.dev.yaml").write_bytes((CHECKOUT / "Pulumi.dev.yaml").read_bytes())
    asked = {call.token for call in run(load_files("dev", configuration), {}).calls}
    assert not asked & {OFFERINGS, "aws:ec2/getInstanceType:getInstanceType"}


def test_an_account_where_nothing_is_yet_has_no_lists(dev: Settings, warnings: Warnings) -> None:
    """The provider says nothing where it could say an empty list."""
    run(dev, {CLUSTERS: {"names": None}, REPOSITORIES: {"names": None}})
    assert warnings == []


def test_all_problems_are_in_one_report(dev: Settings) -> None:
    told = report(
        dev,
        {
            CALLER: {"arn": "arn:aws:iam::123456789012:user/eve"},
            ROLES: {"arns": ["arn:aws:iam::123456789012:role/platform"]},
            ZONES: {"names": ["eu-central-1a", "eu-central-1c"], "zoneIds": ["x", "y"]},
            QUOTA: {"value": 1.0},
            VPCS: lambda asked: {"ids": [] if asked.get("tags") else ["vpc-1"]},
            ADDRESSES: lambda asked: {"allocationIds": [] if asked.get("tags") else ["e"] * 5},
            CLUSTERS: {"names": ["acme-dev"]},
            CLUSTER: {"tags": {}},
            REPOSITORIES: {"names": ["community/leaderboard", "other"]},
            REPOSITORY: {"tags": {"Organization": "others"}},
            ISSUER: {"arn": "x", "tags": {}},
        },
    )
    assert [line.partition(": platform:")[2].partition(":")[0] for line in told[:-1]] == [
        "ci.existing",
        "ci.existing",
        "cluster.access.platform",
        "cluster.access.teams.gaming[0]",
        "cluster.access.teams.tvhub[0]",
        "cluster.nodeGroups[0].minSize",
        "network.cidr",
        "network.nat",
        "network.zones[1]",
        "organization",
    ], told
    assert told[-1].startswith("services.yaml")


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (
            {CALLER: {"arn": "arn:aws:sts::123456789012:assumed-role/intern/eve"}},
            "cluster.access.platform: does not list who runs Pulumi now, and the cluster would "
            "refuse every object (given: arn:aws:sts::123456789012:assumed-role/intern/eve); add "
            "the role or user, or run Pulumi as one that is listed",
        ),
        (
            {ZONES: {"names": ["eu-central-1c", "eu-central-1b"], "zoneIds": ["z", "y"]}},
            "network.zones[0]: is no zone of eu-central-1 for this account (given: a); "
            "choose among b, c",
        ),
        (
            {ZONES: {"names": ["eu-central-1a", "eu-central-1b"], "zoneIds": ["x", "use1-az3"]}},
            "network.zones[1]: is use1-az3, where EKS puts no control plane, and the first two "
            "zones hold it (given: b); name another zone before it",
        ),
        (
            {OFFERINGS: {"locations": ["eu-central-1a"], "instanceTypes": ["m6i.large"]}},
            "cluster.nodeGroups[0].instanceTypes: has none that EC2 offers in zone b (given: "
            "m7i.large, m6i.large); add a type that is offered there",
        ),
        (
            {OFFERINGS: {"locations": ["eu-central-1c"], "instanceTypes": ["m6i.large"]}},
            "cluster.nodeGroups[0].instanceTypes: has none that EC2 offers in zone a and b (given: "
            "m7i.large, m6i.large); add a type that is offered there",
        ),
        (
            {QUOTA: lambda asked: {"value": 3.0 if asked["quotaCode"] == "L-1216C47A" else 99.0}},
            "cluster.nodeGroups[0].minSize: needs 4 vCPUs of standard On-Demand instances; the "
            "quota of eu-central-1 is 3; ask AWS for more of quota L-1216C47A of ec2 in Service "
            "Quotas",
        ),
        (
            {
                QUOTA: lambda asked: {"value": 5.0},
                ADDRESSES: lambda asked: {"allocationIds": [] if asked.get("tags") else ["e"] * 5},
            },
            "network.nat: needs 1 Elastic IP addresses; the quota of eu-central-1 is 5, 5 are "
            "used; ask AWS for more of quota L-0263D0A3 of ec2 in Service Quotas",
        ),
        (
            {
                QUOTA: lambda asked: {"value": 5.0},
                SUBNETS: {"ids": ["subnet-1"]},
                GATEWAYS: {"ids": ["nat"] * 5},
            },
            "network.nat: needs 1 NAT gateways in one zone; the quota of eu-central-1 is 5, 5 are "
            "used; ask AWS for more of quota L-FE5A380F of vpc in Service Quotas",
        ),
        (
            {CLUSTERS: {"names": ["acme-dev"]}, CLUSTER: {"tags": {**OURS, "Environment": "x"}}},
            "organization: and the stack's name are the name of a cluster that this program did "
            "not make (given: acme-dev); choose another organization or stack, or use it by "
            "platform:cluster.existing",
        ),
        (
            {
                ISSUER: lambda asked: {
                    "tags": {} if "github" in asked["url"] else OURS,
                    "arn": "x",
                }
            },
            "ci.existing: is the URL of an OpenID Connect provider that this program did not make "
            "(given: https://token.actions.githubusercontent.com); add github-actions to the list",
        ),
    ],
    ids=[
        "caller",
        "zone",
        "control plane",
        "type",
        "types",
        "vCPUs",
        "addresses",
        "NAT",
        "name",
        "issuer",
    ],
)
def test_what_would_fail_later_is_told(
    dev: Settings, answers: Mapping[str, Answer], line: str
) -> None:
    (told,) = report(dev, answers)

    assert told.partition(": platform:")[2] == line


def test_whoever_may_enter_the_cluster_has_to_exist(configuration: Path, bend: Bend) -> None:
    ours = "arn:aws:iam::123456789012"
    access = {
        "platform": [f"{ours}:role/platform", f"{ours}:user/lost"],
        "readOnly": [
            f"{ours}:user/auditor",
            f"{ours}:role/lost",
            "arn:aws:iam::210987654321:role/theirs",
        ],
        "teams": {"gaming": [f"{ours}:role/gone"]},
    }
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(access=access))
    told = report(
        load_files("dev", configuration),
        {
            CALLER: {"arn": f"{ours}:role/platform"},
            ROLES: {"arns": [f"{ours}:role/platform"]},
            USERS: {"arns": [f"{ours}:user/auditor"]},
        },
    )
    assert [line.partition(": platform:")[2] for line in told] == [
        f"cluster.access.{place}: does not exist, and EKS refuses an access entry for it (given: "
        f"{ours}:{who}); create it first, or correct the ARN with its path"
        for place, who in (
            ("platform[1]", "user/lost"),
            ("readOnly[1]", "role/lost"),
            ("teams.gaming[0]", "role/gone"),
        )
    ]


def test_an_account_without_users_has_no_list_of_them(configuration: Path, bend: Bend) -> None:
    user = "arn:aws:iam::123456789012:user/eve"
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(access={"platform": [user]}))
    (told,) = report(load_files("dev", configuration), {CALLER: {"arn": user}, USERS: {}})
    assert "cluster.access.platform[0]: does not exist" in told


def test_the_last_place_of_a_quota_is_enough(dev: Settings) -> None:
    full: dict[str, Answer] = {
        QUOTA: {"value": 5.0},
        VPCS: lambda asked: {"ids": [] if asked.get("tags") else ["vpc"] * 4},
        ADDRESSES: lambda asked: {"allocationIds": [] if asked.get("tags") else ["e"] * 4},
    }
    assert run(dev, full).resources == []


def test_addresses_that_are_there_are_not_asked_for_again(dev: Settings) -> None:
    calls = run(dev, {ADDRESSES: {"allocationIds": ["eipalloc-1"]}}).calls
    assert [call.inputs for call in calls if call.token == ADDRESSES] == [{"tags": OURS}]


def test_roles_are_asked_for_where_there_are_some(configuration: Path, bend: Bend) -> None:
    user = "arn:aws:iam::123456789012:user/eve"
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(access={"platform": [user]}))
    settings = load_files("dev", configuration)
    calls = run(settings, {CALLER: {"arn": user}, USERS: {"arns": [user]}}).calls
    assert {call.token for call in calls} & {ROLES, USERS} == {USERS}


def test_every_zone_with_a_nat_gateway_needs_an_address(prod: Settings) -> None:
    full: dict[str, Answer] = {
        QUOTA: lambda asked: {"value": 2.0 if asked["quotaCode"] == "L-0263D0A3" else 99.0}
    }
    (told,) = report(prod, {**account(prod), **full})
    assert "network.nat: needs 3 Elastic IP addresses; the quota of eu-central-1 is 2;" in told


def test_an_error_without_words_is_told_by_its_name() -> None:
    def silent() -> None:
        raise LookupError

    with pytest.raises(UnansweredError) as refused:
        ask(silent)
    assert str(refused.value) == "LookupError"


def test_what_this_program_made_is_no_clash(dev: Settings, warnings: Warnings) -> None:
    full = {"value": 5.0}
    mine: dict[str, Answer] = {
        CLUSTERS: {"names": ["acme-dev"]},
        CLUSTER: {"tags": {**OURS, "Name": "acme-dev"}},
        REPOSITORIES: {"names": ["community/leaderboard"]},
        REPOSITORY: {"tags": {**OURS, "Service": "leaderboard"}},
        QUOTA: full,
        VPCS: {"ids": ["vpc-1"] * 5},
        ADDRESSES: {"allocationIds": ["eipalloc-1"] * 5},
    }
    run(dev, mine)

    assert warnings == []


def test_a_stack_without_the_registry_asks_nothing_about_it(prod: Settings) -> None:
    asked = {call.token for call in run(prod, account(prod)).calls}

    assert not asked & {REPOSITORIES, ISSUER}


def test_an_issuer_that_is_missing_is_made(dev: Settings, warnings: Warnings) -> None:
    def missing(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise Refused("1 error occurred:\n\t* reading IAM OIDC Provider: couldn't find resource")

    run(dev, {ISSUER: missing})

    assert warnings == []


def test_an_issuer_that_is_missing_hides_no_other(dev: Settings) -> None:
    def github_alone(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if "circleci" in asked["url"]:
            raise Refused("couldn't find resource")
        return {"arn": "x", "tags": {}}

    (told,) = report(dev, {ISSUER: github_alone})
    assert "(given: https://token.actions.githubusercontent.com)" in told


def test_a_repository_of_others_is_told_where_the_catalogue_names_it(dev: Settings) -> None:
    others: dict[str, Answer] = {
        REPOSITORIES: {"names": ["community/leaderboard", "other"]},
        REPOSITORY: {"tags": {"Organization": "others"}},
    }
    (told,) = report(dev, others)
    file, _, words = told.partition(": ")
    assert file.partition(":")[0] == "services.yaml"
    assert words == (
        "namespaces.community.services.leaderboard: is the name of an image repository that this "
        "program did not make (given: community/leaderboard); choose another name, or import the "
        "repository into the stack"
    )


def hosted(public: int, private: int) -> dict[str, Answer]:
    """How many hosted zones of each kind have the name, in the words of the provider."""

    def answer(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        assert asked["name"] == "dev.acme.example"
        there = private if asked["privateZone"] else public
        if there == 0:
            raise Refused("no matching Route 53 Hosted Zone found")
        if there > 1:
            raise Refused("multiple Route 53 Hosted Zones matched; use additional constraints")
        return {"zoneId": "Z1"}

    return {HOSTED_ZONE: answer}


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (
            hosted(public=0, private=0),
            "is no hosted zone of this account (given: dev.acme.example); create it, or name "
            "another",
        ),
        (
            hosted(public=0, private=1),
            "is a private hosted zone, where AWS proves no certificate, and no public one (given: "
            "dev.acme.example); create a public zone of that name; the load balancer can stay "
            "internal",
        ),
        (
            hosted(public=0, private=2),
            "is a private hosted zone, where AWS proves no certificate, and no public one (given: "
            "dev.acme.example); create a public zone of that name; the load balancer can stay "
            "internal",
        ),
        (
            hosted(public=2, private=0),
            "is the name of several public hosted zones (given: dev.acme.example); delete those "
            "that are not used",
        ),
    ],
    ids=["none", "private", "private twice", "twice"],
)
def test_the_hosted_zone_is_there_once_and_public(
    dev: Settings, answers: Mapping[str, Answer], line: str
) -> None:
    (told,) = report(dev, answers)
    assert told.partition(": platform:")[2] == f"ingress.zone: {line}"


def test_a_private_zone_beside_the_public_one_is_no_problem(
    dev: Settings, warnings: Warnings
) -> None:
    run(dev, hosted(public=1, private=1))
    assert warnings == []


def test_without_a_zone_route_53_is_not_asked(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda c: c.pop("platform:ingress"))
    asked = {call.token for call in run(load_files("dev", configuration), {}).calls}
    assert HOSTED_ZONE not in asked


def test_of_an_existing_network_nothing_new_is_asked(configuration: Path, bend: Bend) -> None:
    vpc = "vpc-0a1b2c3d4e5f60718"
    bend(
        "Pulumi.dev.yaml",
        lambda c: c.update(
            {
                "platform:network": {"existing": existing_network(vpc)},
                "platform:ingress": {"zone": "acme.example"},
            }
        ),
    )
    told = report(load_files("dev", configuration), {VPCS: {"ids": []}})

    assert [line.partition(": platform:")[2].partition(":")[0] for line in told] == [
        "network.existing.privateSubnets[0]",
        "network.existing.privateSubnets[1]",
        "network.existing.vpc",
    ]


def test_no_answer_is_told_and_stops_nothing(dev: Settings, warnings: Warnings) -> None:
    def refused(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise Refused("AccessDenied: you may not\nand more")

    run(dev, {QUOTA: refused})

    assert len(warnings) == 2
    for what, warning in zip(("network", "nodes"), warnings, strict=True):
        assert warning.startswith(f"not checked: the quotas of the {what}, because AWS did not")
        assert warning.endswith("AccessDenied: you may not and more")


def test_offline_a_preview_asks_nothing_and_says_so(
    dev: Settings, warnings: Warnings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWO_SPEED_OFFLINE", "1")

    assert run(dev, {}).calls == []
    assert warnings == [
        "TWO_SPEED_OFFLINE=1, so not checked: " + ", ".join(CHECKS),
    ]


def test_offline_nothing_is_applied(dev: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWO_SPEED_OFFLINE", "1")

    with pytest.raises(pulumi.RunError, match="is for previews; unset it, nothing was created"):
        run(dev, {}, preview=False)


PLATFORM = "arn:aws:iam::123456789012:role/platform"
SSO = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b"


@pytest.mark.parametrize(
    ("caller", "principal", "same"),
    [
        ("arn:aws:sts::123456789012:assumed-role/platform/ci", PLATFORM, True),
        ("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b/eve", SSO, True),
        ("arn:aws:sts::123456789012:assumed-role/plat/form", PLATFORM, False),
        ("arn:aws:sts::210987654321:assumed-role/platform/ci", PLATFORM, False),
        ("arn:aws:iam::123456789012:user/platform", PLATFORM, False),
        ("arn:aws:iam::123456789012:root", PLATFORM, False),
        ("arn:aws:iam::123456789012:user/eve", "arn:aws:iam::123456789012:user/eve", True),
        (
            "arn:aws:sts::123456789012:assumed-role/eve/x",
            "arn:aws:iam::123456789012:user/eve",
            False,
        ),
    ],
)
def test_a_session_is_its_role(caller: str, principal: str, same: bool) -> None:
    assert is_principal(caller, principal) is same
