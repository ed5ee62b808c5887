"""A VPC of somebody else, as AWS describes it."""

from __future__ import annotations

from typing import Any

USABLE_VPC: dict[str, Any] = {
    "cidrBlockAssociations": [
        {"associationId": "vpc-cidr-assoc-1", "cidrBlock": "10.60.0.0/16", "state": "associated"}
    ],
    "enableDnsSupport": True,
    "enableDnsHostnames": True,
}
