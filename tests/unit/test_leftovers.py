"""`python -m tools.leftovers` against moto: what a killed run left, and what the state knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from settings.environment import Settings
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.whole_program import record_program
from tools.leftovers import __main__ as command
from tools.leftovers import services
from tools.leftovers.found import Found
from tools.leftovers.report import leftovers, render
from tools.leftovers.state import Known, known, wanted

TAGS = {"Organization": "acme", "Environment": "dev", "ManagedBy": "pulumi"}
TRUST = '{"Version":"2012-10-17","Statement":[]}'
REGION = "eu-central-1"
URN = "urn:pulumi:dev::two-speed-gitops::twospeed:index:Network$"
LACKING = {
    "list_addons": "addons",
    "list_access_entries": "accessEntries",
    "list_pod_identity_associations": "associations",
}
"""What moto does not answer, and the member that is empty in its place."""


def listed(name: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {**TAGS, "Name": name}.items()]


def on(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": listed(name)}]


class _WithoutPages:
    """A client of EKS whose pages of what moto lacks are empty."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_paginator(self, operation: str) -> Any:
        if operation in LACKING:
            return self
        return self._client.get_paginator(operation)

    def paginate(self, **_: Any) -> list[dict[str, list[Any]]]:
        return [{member: [] for member in LACKING.values()}]


@cache
def client(service: str) -> Any:
    made = boto3.client(service, region_name=REGION)
    return _WithoutPages(made) if service == "eks" else made


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "123456789012")
    with mock_aws():
        yield


def create_everything() -> dict[str, str]:
    """One of each kind, with the tags of acme's dev; ids by Pulumi's type."""
    ec2, eks, iam, kms = client("ec2"), client("eks"), client("iam"), client("kms")
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16", TagSpecifications=on("vpc", "acme-dev-vpc"))
    vpc = vpc["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.10.0.0/24", TagSpecifications=on("subnet", "acme-dev-private-a")
    )["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway(TagSpecifications=on("internet-gateway", "acme-dev-i"))
    gateway = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=on("route-table", "acme-dev-p"))
    table = table["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    address = ec2.allocate_address(TagSpecifications=on("elastic-ip", "acme-dev-nat-a"))
    nat = ec2.create_nat_gateway(
        SubnetId=subnet,
        AllocationId=address["AllocationId"],
        TagSpecifications=on("natgateway", "acme-dev-nat-a"),
    )["NatGateway"]["NatGatewayId"]
    group = ec2.create_security_group(
        GroupName="acme-dev-endpoints",
        Description="d",
        VpcId=vpc,
        TagSpecifications=on("security-group", "acme-dev-endpoints"),
    )["GroupId"]
    rule = ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
            }
        ],
        TagSpecifications=on("security-group-rule", "acme-dev-endpoints-https"),
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        TagSpecifications=on("vpc-endpoint", "acme-dev-s3"),
    )["VpcEndpoint"]["VpcEndpointId"]
    template = ec2.create_launch_template(
        LaunchTemplateName="acme-dev-nodes-general",
        LaunchTemplateData={"InstanceType": "m7i.large"},
        TagSpecifications=on("launch-template", "acme-dev-general"),
    )["LaunchTemplate"]["LaunchTemplateId"]
    role = iam.create_role(
        RoleName="acme-dev-nodes", AssumeRolePolicyDocument=TRUST, Tags=listed("acme-dev-nodes")
    )["Role"]
    issuer = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["sts"],
        ThumbprintList=["a" * 40],
        Tags=listed("acme-dev-github-actions"),
    )["OpenIDConnectProviderArn"]
    key = kms.create_key(
        Tags=[{"TagKey": t["Key"], "TagValue": t["Value"]} for t in listed("acme-dev-cluster")]
    )["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/acme-dev-cluster", TargetKeyId=key)
    certificate = client("acm").request_certificate(
        DomainName="*.dev.acme.example", ValidationMethod="DNS", Tags=listed("acme-dev-ingress")
    )["CertificateArn"]
    client("logs").create_log_group(logGroupName="/aws/eks/acme-dev/cluster", tags=TAGS)
    client("ecr").create_repository(
        repositoryName="streaming/tv-api", tags=listed("streaming/tv-api")
    )
    eks.create_cluster(
        name="acme-dev",
        roleArn=role["Arn"],
        resourcesVpcConfig={"subnetIds": [subnet]},
        tags={**TAGS, "Name": "acme-dev"},
    )
    eks.create_nodegroup(
        clusterName="acme-dev",
        nodegroupName="general-da8c9cce",
        subnets=[subnet],
        nodeRole=role["Arn"],
        tags={**TAGS, "Name": "acme-dev-general"},
    )
    return {
        "aws:ec2/vpc:Vpc": vpc,
        "aws:ec2/subnet:Subnet": subnet,
        "aws:ec2/internetGateway:InternetGateway": gateway,
        "aws:ec2/routeTable:RouteTable": table,
        "aws:ec2/route:Route": f"{table}_0.0.0.0/0",
        "aws:ec2/routeTableAssociation:RouteTableAssociation": association,
        "aws:ec2/eip:Eip": address["AllocationId"],
        "aws:ec2/natGateway:NatGateway": nat,
        "aws:ec2/securityGroup:SecurityGroup": group,
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule,
        "aws:ec2/vpcEndpoint:VpcEndpoint": endpoint,
        "aws:ec2/launchTemplate:LaunchTemplate": template,
        "aws:iam/role:Role": "acme-dev-nodes",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": issuer,
        "aws:kms/key:Key": key,
        "aws:kms/alias:Alias": "alias/acme-dev-cluster",
        "aws:acm/certificate:Certificate": certificate,
        "aws:cloudwatch/logGroup:LogGroup": "/aws/eks/acme-dev/cluster",
        "aws:ecr/repository:Repository": "streaming/tv-api",
        "aws:eks/cluster:Cluster": "acme-dev",
        "aws:eks/nodeGroup:NodeGroup": "acme-dev:general-da8c9cce",
    }


def state(resources: Mapping[str, str], **outputs: Any) -> str:
    """An export of a stack with these resources, ids by type."""
    return json.dumps(
        {
            "deployment": {
                "resources": [
                    {"urn": f"{URN}{type_}::{type_}", "type": type_, "id": id_, "outputs": outputs}
                    for type_, id_ in resources.items()
                ]
            }
        }
    )


def lost(settings: Settings, export: str) -> list[tuple[str, str]]:
    found = command.find(client, settings)
    return [(one.found.type, one.found.id) for one in leftovers(found, known([export]), [])]


def test_everything_without_a_state_is_left_over(account: None, dev: Settings) -> None:
    made = create_everything()

    left = lost(dev, state({}))

    assert {type_ for type_, _ in left} == made.keys(), "and nothing is listed twice"
    assert len(left) == len(made)
    for type_, id_ in left:
        own = type_ == "aws:ec2/routeTableAssociation:RouteTableAssociation"
        assert own or id_ == made[type_]


def test_nothing_that_the_state_knows_is_left_over(account: None, dev: Settings) -> None:
    made = create_everything()
    table = made["aws:ec2/routeTable:RouteTable"]
    made["aws:ec2/route:Route"] = "r-rtb-0a1b2c3d"
    export = state(made, routeTableId=table, destinationCidrBlock="0.0.0.0/0")

    assert lost(dev, export) == []


def test_another_environments_objects_are_not_looked_at(account: None, prod: Settings) -> None:
    create_everything()

    assert lost(prod, state({})) == []


def test_what_aws_keeps_listing_after_its_end_is_not_left_over(
    account: None, dev: Settings
) -> None:
    made = create_everything()
    client("ec2").delete_nat_gateway(NatGatewayId=made["aws:ec2/natGateway:NatGateway"])
    client("kms").schedule_key_deletion(KeyId=made["aws:kms/key:Key"])

    types = {type_ for type_, _ in lost(dev, state({}))}

    assert not types & {"aws:ec2/natGateway:NatGateway", "aws:kms/key:Key"}


def test_nodes_belong_to_their_node_group(account: None, dev: Settings) -> None:
    group = {"eks:cluster-name": "acme-dev", "eks:nodegroup-name": "general-da8c9cce"}
    tags = [*listed("acme-dev-general"), *({"Key": k, "Value": v} for k, v in group.items())]
    client("ec2").run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    known_group = state({"aws:eks/nodeGroup:NodeGroup": "acme-dev:general-da8c9cce"})

    assert lost(dev, known_group) == []
    assert [type_ for type_, _ in lost(dev, state({}))] == ["ec2:instance"]


def test_what_only_the_tagging_api_knows_is_listed_by_its_arn(account: None, dev: Settings) -> None:
    topic = client("sns").create_topic(Name="x", Tags=listed("acme-dev-topic"))["TopicArn"]

    assert lost(dev, state({})) == [("sns", topic)]


def test_what_is_gone_is_not_left_over_because_the_tagging_api_still_names_it(
    account: None, dev: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "arn:aws:ec2:eu-central-1:123456789012:natgateway/nat-0123456789abcdef0"
    said = [(gone, dev.environment.names.tags())]
    monkeypatch.setattr(services, "tagged", lambda _, __, *kinds: iter([] if kinds else said))

    assert lost(dev, state({})) == []


# The report


def vpc(id_: str) -> Found:
    return Found(
        type="aws:ec2/vpc:Vpc",
        id=id_,
        identities=frozenset({id_}),
        name="acme-dev-vpc",
        tags={"Name": "acme-dev-vpc"},
        delete=f"aws ec2 delete-vpc --vpc-id {id_}",
    )


def vpc_in_a_state(id_: str) -> str:
    resource = {
        "urn": f"{URN}aws:ec2/vpc:Vpc::network-vpc",
        "type": "aws:ec2/vpc:Vpc",
        "id": id_,
        "inputs": {"tags": {"Name": "acme-dev-vpc"}},
    }
    return json.dumps({"deployment": {"resources": [resource]}})


def test_of_two_alike_the_report_says_which_one_the_state_knows() -> None:
    left = leftovers([vpc("vpc-1"), vpc("vpc-2")], known([vpc_in_a_state("vpc-1")]), [])

    assert render("dev", left) == (
        "1 in AWS with the tags or names of dev that no state knows:\n"
        "\n"
        "aws:ec2/vpc:Vpc  vpc-2\n"
        "  name    acme-dev-vpc\n"
        "  tags    Name=acme-dev-vpc\n"
        "  twin    the state knows network-vpc (vpc-1): this one is not in use\n"
        "  delete  aws ec2 delete-vpc --vpc-id vpc-2\n"
    )


def test_a_preview_makes_the_import_command_whole() -> None:
    new = {
        "type": "aws:ec2/vpc:Vpc",
        "inputs": {"tags": {"Name": "acme-dev-vpc"}},
        "parent": "urn:pulumi:dev::two-speed-gitops::twospeed:index:Network::network",
        "protect": True,
    }
    step = {"op": "create", "urn": f"{URN}aws:ec2/vpc:Vpc::network-vpc", "newState": new}
    preview = json.dumps({"steps": [step]})

    left = leftovers([vpc("vpc-2")], [], wanted(preview))

    assert (
        "  import  pulumi import --stack dev aws:ec2/vpc:Vpc network-vpc vpc-2 --parent "
        "parent=urn:pulumi:dev::two-speed-gitops::twospeed:index:Network::network\n"
    ) in render("dev", left)


def test_without_a_preview_the_name_is_left_to_the_reader() -> None:
    report = render("dev", leftovers([vpc("vpc-2")], [], []))

    assert "pulumi import --stack dev aws:ec2/vpc:Vpc <name> vpc-2 --protect=false" in report


# What the program makes is looked for

PARTS: Mapping[str, str] = {
    "aws:acm/certificateValidation:CertificateValidation": "is no object of AWS: it waits",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "goes with its VPC",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "is written over, and goes with its repository",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "is written over, and goes with its repository",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "goes with its access entry",
    "aws:iam/rolePolicy:RolePolicy": "is written over",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "is made once however often it is asked",
    "aws:route53/record:Record": "is written over: the same name is proven by the same record",
}
"""Types that a killed run leaves without harm, each with the reason."""
NOT_IN_MOTO = {
    "aws:eks/accessEntry:AccessEntry",
    "aws:eks/addon:Addon",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
}
"""Types that moto cannot make."""


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_type_of_the_program_is_looked_for(stack: str, account: None) -> None:
    recording = record_program(stack, CHECKOUT, CHECKOUT / "__main__.py")
    used = {r.type for r in recording.resources if r.type.startswith("aws:")}

    assert used - PARTS.keys() - NOT_IN_MOTO - create_everything().keys() == set()


def test_names_in_the_state_are_those_that_are_found() -> None:
    """Every resource of the program has the name by which its object in AWS is recognised."""
    resources = [
        {"urn": r.urn, "type": r.type, "id": "x", "inputs": dict(r.inputs), "outputs": {}}
        for r in record_program("dev", CHECKOUT, CHECKOUT / "__main__.py").resources
        if r.type.startswith("aws:") and r.type not in PARTS
    ]

    found = known([json.dumps({"deployment": {"resources": resources}})])

    assert [one.urn for one in found if not one.name] == []
    names: list[Known] = [one for one in found if one.type == "aws:ec2/vpc:Vpc"]
    assert [one.name for one in names] == ["acme-dev-vpc"]


# The command


def test_the_command_reads_files_and_says_what_is_left(
    account: None,
    configuration: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    bend: Bend,
) -> None:
    bend(
        "Pulumi.prod.yaml",
        lambda config: config.update({"aws:allowedAccountIds": ["123456789012"]}),
    )
    monkeypatch.setattr(command, "ROOT", configuration)
    client("ec2").create_vpc(CidrBlock="10.10.0.0/16", TagSpecifications=on("vpc", "acme-dev-vpc"))
    export = configuration / "dev.json"
    export.write_text(state({}))

    assert command.main(["--stack", "dev", "--state", str(export)]) == 1
    assert "1 in AWS with the tags or names of dev" in capsys.readouterr().out
    assert command.main(["--stack", "prod", "--state", str(export)]) == 0


def test_a_stack_without_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "dev.json"
    export.write_text(state({}))

    assert command.main(["--stack", "unknown", "--state", str(export)]) == 2
    assert "Pulumi.unknown.yaml" in capsys.readouterr().err


def test_credentials_of_another_account_are_refused(
    account: None, configuration: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, bend: Bend
) -> None:
    other = {"aws:allowedAccountIds": ["999999999999"]}
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", lambda config: config.update(other))
    monkeypatch.setattr(command, "ROOT", configuration)
    export = configuration / "dev.json"
    export.write_text(state({}))

    assert command.main(["--stack", "dev", "--state", str(export)]) == 2
    assert "are of account 123456789012, and dev is in 999999999999" in capsys.readouterr().err
