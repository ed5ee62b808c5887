"""Quotas of AWS, so that a stack file is refused before AWS refuses it.

Lengths and patterns of single values are checked against tools/limits/table.json by the tests.
"""

from __future__ import annotations

CLUSTER_NAME = (
    r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
    "must be the name of an EKS cluster: letters, digits, hyphens and underscores, 100 at most",
)
MAX_TAINTS = 50
"""Of one node group: CreateNodegroup."""
MAX_NODE_GROUPS = 30
"""Of one cluster: Amazon EKS service quotas, "Managed node groups per cluster"."""
MAX_PUBLIC_RANGES = 40
"""Of one endpoint: Amazon EKS service quotas, "Public endpoint access CIDR ranges per cluster"."""
MAX_NEIGHBOURS = 59
"""Of one security group: Amazon VPC quotas, "Inbound or outbound rules per security group", 60,
of which EKS's own group has one."""
MAX_VISITORS = 30
"""Ranges of one load balancer: each is a rule for HTTP and one for HTTPS in one security group."""
ROLE_POLICY_CHARACTERS = 10_240
"""Of all inline policies of one role, white space not counted: IAM and AWS STS quotas."""


def of_an_organization(name: str) -> str:
    """`name`, or ValueError where the names of security groups would begin as AWS's own ids."""
    if name == "sg" or name.startswith("sg-"):
        raise ValueError(
            "begins as the ids of security groups do, and AWS refuses such names; choose another"
        )
    return name
