"""A network and a cluster of another team, in the account of an environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.aws_account import Account
from lab.tests.environment.conftest import Lab
from settings.environment import Settings

ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True)
class Neighbour:
    """What a stack file says of it."""

    vpc: str
    subnets: list[str]
    cluster: str


@contextmanager
def neighbour(lab: Lab, settings: Settings) -> Iterator[Neighbour]:
    """Created by plain calls of AWS's API, and deleted afterwards.

    The cluster lets the platform's role in, and has the name for which the lab's API server of
    the environment answers.
    """
    where = settings.environment
    account = Account(lab.site, where.account, where.region)
    ec2, eks = account.client("ec2"), account.client("eks")
    vpc = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.60.{number}.0/24", AvailabilityZone=f"{where.region}{letter}"
        )["Subnet"]["SubnetId"]
        for number, letter in enumerate("ab")
    ]
    cluster = settings.environment.names.cluster
    eks.create_cluster(
        name=cluster,
        roleArn=f"arn:aws:iam::{where.account}:role/eks",
        resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
    )
    within = {
        "clusterName": cluster,
        "principalArn": settings.config.cluster.access.platform[0],
    }
    eks.create_access_entry(**within)
    eks.associate_access_policy(**within, policyArn=ADMINISTRATOR, accessScope={"type": "cluster"})
    yield Neighbour(vpc, subnets, cluster)
    eks.delete_cluster(name=cluster)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
