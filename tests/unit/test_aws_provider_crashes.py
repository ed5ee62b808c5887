"""A provider killed between AWS's work and its answer: every type takes up what it left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from lab.aws.kinds import KINDS
from lab.aws.table import Values
from tests.unit import aws_in_memory
from tests.unit.aws_in_memory import (
    ACCOUNT,
    LAUNCH_TEMPLATE,
    REGION,
    ROLE,
    TRUST,
    Memory,
    cluster,
    urn,
)

TAGS = {"ManagedBy": "pulumi", "Name": "acme-dev"}
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
EXPIRY = (
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":'
    '"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}'
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """An account with a cluster, its network and what else resources hang on."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            made = aws_in_memory.memory(Path(tmp_path_factory.mktemp("lab")))
            cluster(made)
            made.create(ROLE, "node", name="node", assumeRolePolicy=TRUST)
            made.create(KINDS["aws:ecr/repository:Repository"], name="shop/base")
            yield made


def declared(account: Memory) -> dict[str, Values]:
    """Inputs of one resource of every type that a crash could make twice."""
    network = account.aws.call("eks", "describe_cluster", name="acme-dev")["cluster"]
    network = network["resourcesVpcConfig"]
    vpc, (subnet, other) = network["vpcId"], network["subnetIds"]
    group = network["clusterSecurityGroupId"]
    tables = account.aws.call("ec2", "describe_route_tables")["RouteTables"]
    table = next(one["RouteTableId"] for one in tables if one["VpcId"] == vpc)
    role = f"arn:aws:iam::{ACCOUNT}:role/node"
    within: dict[str, Any] = {"clusterName": "acme-dev"}
    return {
        "aws:ec2/vpc:Vpc": {"cidrBlock": "10.7.0.0/16", "tags": TAGS},
        "aws:ec2/subnet:Subnet": {"vpcId": vpc, "cidrBlock": "10.0.9.0/24", "tags": TAGS},
        "aws:ec2/internetGateway:InternetGateway": {"vpcId": vpc, "tags": TAGS},
        "aws:ec2/eip:Eip": {"tags": TAGS},
        "aws:ec2/natGateway:NatGateway": {
            "subnetId": subnet,
            "connectivityType": "private",
            "tags": TAGS,
        },
        "aws:ec2/routeTable:RouteTable": {"vpcId": vpc, "tags": TAGS},
        "aws:ec2/routeTableAssociation:RouteTableAssociation": {
            "routeTableId": table,
            "subnetId": other,
        },
        "aws:ec2/vpcEndpoint:VpcEndpoint": {
            "vpcId": vpc,
            "serviceName": f"com.amazonaws.{REGION}.ecr.api",
            "vpcEndpointType": "Interface",
            "subnetIds": [subnet],
            "tags": TAGS,
        },
        "aws:ec2/flowLog:FlowLog": {
            "vpcId": vpc,
            "trafficType": "ALL",
            "logDestinationType": "cloud-watch-logs",
            "logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:flow",
            "iamRoleArn": role,
            "tags": TAGS,
        },
        "aws:ec2/securityGroup:SecurityGroup": {"name": "x", "vpcId": vpc, "tags": TAGS},
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
            "securityGroupId": group,
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "10.0.0.0/16",
        },
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
            "securityGroupId": group,
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "10.0.0.0/16",
        },
        "aws:ec2/launchTemplate:LaunchTemplate": {
            "name": "nodes",
            "metadataOptions": {"httpTokens": "required"},
            "tags": TAGS,
        },
        "aws:cloudwatch/logGroup:LogGroup": {"name": "/acme", "retentionInDays": 30, "tags": TAGS},
        "aws:ecr/repository:Repository": {"name": "shop/api", "tags": TAGS},
        "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"repository": "shop/base", "policy": EXPIRY},
        "aws:kms/key:Key": {"description": "secrets", "tags": TAGS},
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
            "url": "https://ci.example",
            "clientIdLists": ["sts.amazonaws.com"],
            "tags": TAGS,
        },
        "aws:iam/role:Role": {"name": "ci", "assumeRolePolicy": TRUST, "tags": TAGS},
        "aws:iam/rolePolicy:RolePolicy": {"name": "read", "role": "node", "policy": POLICY},
        "aws:eks/nodeGroup:NodeGroup": {
            **within,
            "nodeGroupName": "general",
            "nodeRoleArn": role,
            "subnetIds": [subnet],
            "scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 1},
            "tags": TAGS,
        },
        "aws:eks/accessEntry:AccessEntry": {**within, "principalArn": role, "tags": TAGS},
        "aws:eks/addon:Addon": {**within, "addonName": "coredns", "tags": TAGS},
        "aws:eks/podIdentityAssociation:PodIdentityAssociation": {
            **within,
            "namespace": "keel",
            "serviceAccount": "keel",
            "roleArn": role,
            "tags": TAGS,
        },
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each type; the inputs are made once the account stands."""
    if "pulumi_type" in metafunc.fixturenames:
        metafunc.parametrize("pulumi_type", sorted(set(KINDS) - UNAFFECTED))


UNAFFECTED = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",  # nothing is created
    "aws:ec2/tag:Tag",  # these are set, and setting them again changes nothing
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:ec2/route:Route",  # named by their own inputs, as others that are tried here
    "aws:eks/cluster:Cluster",
    "aws:kms/alias:Alias",
}


def test_what_a_crash_cut_off_is_taken_up(account: Memory, pulumi_type: str) -> None:
    kind = KINDS[pulumi_type]
    inputs = account.checked(kind, **declared(account)[pulumi_type])
    made, state = account.resources.create(kind, urn(kind), inputs)
    account.resources.journal.begin(urn(kind), inputs)
    again, same_state = account.resources.create(kind, urn(kind), inputs)
    assert again == made
    assert same_state == state


def test_what_a_crash_cut_off_keeps_the_name_that_was_made_up_for_it(account: Memory) -> None:
    template = urn(LAUNCH_TEMPLATE, "unnamed")
    inputs = {"metadataOptions": {"httpTokens": "required"}}

    def checked(seed: bytes) -> Values:
        return account.resources.check(LAUNCH_TEMPLATE, template, {}, inputs, seed)[0]

    killed = checked(b"the run that was killed")
    assert checked(b"the next run")["name"] != killed["name"]
    made, _ = account.resources.create(LAUNCH_TEMPLATE, template, killed)
    again, _ = account.resources.create(LAUNCH_TEMPLATE, template, checked(b"the next run"))
    assert again == made
