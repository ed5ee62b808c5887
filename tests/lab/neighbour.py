"""A network and a cluster that somebody else looks after, in the account of an environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.aws.api import Aws
from lab.aws.beyond_moto import STANDINS
from lab.aws.kept import Kept
from settings import Settings
from tests.lab.conftest import Lab

ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True)
class Neighbour:
    """What a stack file says of it."""

    vpc: str
    subnets: list[str]
    cluster: str


@contextmanager
def neighbour(lab: Lab, settings: Settings) -> Iterator[Neighbour]:
    """Made by plain calls of AWS's API, and deleted afterwards.

    The cluster lets the platform's role in, and has the name for which the lab's API server of
    the environment answers.
    """
    with pytest.MonkeyPatch.context() as process:
        for name, value in lab.program.environment.items():
            if name.startswith("AWS_"):
                process.setenv(name, value)
        aws = _aws(lab, settings)
        vpc = aws.call("ec2", "create_vpc", CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
        aws.call("ec2", "modify_vpc_attribute", VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnets = [_subnet(aws, vpc, number, letter) for number, letter in enumerate("ab")]
        cluster = settings.environment.names.cluster
        _create_cluster(aws, cluster, subnets, settings.config.cluster.access.platform[0])
        yield Neighbour(vpc, subnets, cluster)
        aws.call("eks", "delete_cluster", name=cluster)
        for subnet in subnets:
            aws.call("ec2", "delete_subnet", SubnetId=subnet)
        aws.call("ec2", "delete_vpc", VpcId=vpc)


def _aws(lab: Lab, settings: Settings) -> Aws:
    return Aws(
        region=settings.environment.region,
        account=settings.environment.account,
        endpoints=dict.fromkeys(("ec2", "eks"), lab.site.url("aws")),
        site=lab.site,
        kept=Kept(lab.site.kept),
        standins=STANDINS,
    )


def _subnet(aws: Aws, vpc: str, number: int, letter: str) -> str:
    answer = aws.call(
        "ec2",
        "create_subnet",
        VpcId=vpc,
        CidrBlock=f"10.60.{number}.0/24",
        AvailabilityZone=f"{aws.region}{letter}",
    )
    return str(answer["Subnet"]["SubnetId"])


def _create_cluster(aws: Aws, cluster: str, subnets: list[str], administrator: str) -> None:
    within: dict[str, Any] = {"clusterName": cluster, "principalArn": administrator}
    aws.call(
        "eks",
        "create_cluster",
        name=cluster,
        roleArn=f"arn:aws:iam::{aws.account}:role/eks",
        resourcesVpcConfig={"subnetIds": subnets},
    )
    aws.call("eks", "create_access_entry", **within)
    aws.call(
        "eks",
        "associate_access_policy",
        **within,
        policyArn=ADMINISTRATOR,
        accessScope={"type": "cluster"},
    )
