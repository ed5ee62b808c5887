"""Network and cluster of another team: as a stack file names them, and as AWS describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.recording import Answer

USABLE_VPC: dict[str, Any] = {
    "cidrBlockAssociations": [
        {"associationId": "vpc-cidr-assoc-1", "cidrBlock": "10.60.0.0/16", "state": "associated"}
    ],
    "enableDnsSupport": True,
    "enableDnsHostnames": True,
}


THEIR_WAY_IN: dict[str, Any] = {"class": "theirs"}
"""`platform:ingress` where others bring the load balancer."""


def existing_network(vpc: str) -> dict[str, Any]:
    """What `platform:network.existing` says."""
    return {
        "vpc": vpc,
        "privateSubnets": ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"],
    }


def use_existing_cluster(config: dict[str, Any], network: dict[str, Any]) -> None:
    """Take the cluster `legacy` of another team, in its network, in place of an own one."""
    access = config["platform:cluster"]["access"]
    config.update(
        {
            "platform:network": {"existing": network},
            "platform:cluster": {"existing": "legacy", "access": access},
            "platform:ingress": THEIR_WAY_IN,
        }
    )


def another_teams_cluster(vpc: str, subnets: Mapping[str, str], **found: Any) -> dict[str, Answer]:
    """What AWS says of the cluster `legacy` and its network.

    Args:
        subnets: the zone of each.
        found: what is otherwise about the cluster.
    """
    return {
        "aws:ec2/getVpcs:getVpcs": {"ids": [vpc]},
        "aws:ec2/getVpc:getVpc": USABLE_VPC,
        "aws:ec2/getSubnets:getSubnets": {"ids": list(subnets)},
        "aws:ec2/getSubnet:getSubnet": lambda inputs: {
            "vpcId": vpc,
            "availabilityZone": subnets[inputs["id"]],
            "tags": {},
        },
        "aws:eks/getClusters:getClusters": {"names": ["legacy"]},
        "aws:eks/getCluster:getCluster": {
            "name": "legacy",
            "arn": "arn:aws:eks:eu-central-1:123456789012:cluster/legacy",
            "endpoint": "https://legacy.example",
            "certificateAuthorities": [{"data": "Y2E="}],
            "status": "ACTIVE",
            "vpcConfig": {"vpcId": vpc},
            **found,
        },
    }
