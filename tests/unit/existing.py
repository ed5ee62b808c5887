"""A VPC of somebody else: as a stack file names it, and as AWS describes it."""

from __future__ import annotations

from typing import Any

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
