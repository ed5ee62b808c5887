"""Actions that the program needs and that no record of its calls shows, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

NEVER_CALLED: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "iam:PassRole": (
            "asked by AWS where a call hands a role to a service",
            ("eks:CreateCluster", "eks:CreateNodegroup", "eks:CreateAddon", "ec2:CreateFlowLogs"),
        ),
        "iam:GetRole": ("EKS looks at the role that it is handed", ("eks:CreateCluster",)),
        "iam:CreateServiceLinkedRole": (
            "EKS and EC2 make their own roles in an account's first days",
            ("eks:CreateCluster", "eks:CreateNodegroup"),
        ),
        "iam:TagRole": ("part of CreateRole with tags", ("iam:CreateRole",)),
        "iam:UntagRole": ("a tag is taken away", ("iam:CreateRole",)),
        "iam:TagOpenIDConnectProvider": (
            "part of CreateOpenIDConnectProvider with tags",
            ("iam:CreateOpenIDConnectProvider",),
        ),
        "eks:TagResource": (
            "part of every creation with tags",
            ("eks:CreateCluster", "eks:CreatePodIdentityAssociation"),
        ),
        "ecr:TagResource": ("part of CreateRepository with tags", ("ecr:CreateRepository",)),
        "kms:TagResource": ("part of CreateKey with tags", ("kms:CreateKey",)),
        "kms:CreateGrant": (
            "EKS is granted the key that encrypts Kubernetes secrets, in the caller's name",
            ("eks:CreateCluster",),
        ),
        "acm:AddTagsToCertificate": (
            "part of RequestCertificate with tags",
            ("acm:RequestCertificate",),
        ),
        "logs:TagResource": ("part of CreateLogGroup with tags", ("logs:CreateLogGroup",)),
        "ec2:CreateTags": (
            "part of every creation with tags, of the nodes' launch template too",
            ("ec2:CreateVpc", "eks:CreateNodegroup", "eks:CreateCluster"),
        ),
        "ec2:RunInstances": (
            "EKS tries a launch template in the caller's name before it takes it",
            ("eks:CreateNodegroup",),
        ),
        "ec2:DeleteTags": ("a tag is taken away", ("ec2:CreateVpc",)),
    }
)
"""By action: why, and which calls bring it with them."""
NEEDS_NO_PERMISSION = frozenset({"sts:GetCallerIdentity"})
"""What AWS answers without a right."""


def whole(called: Iterable[str]) -> set[str]:
    """The actions that were called, and those that come with them."""
    actions = set(called) - NEEDS_NO_PERMISSION
    return actions | {
        action for action, (_, with_) in NEVER_CALLED.items() if actions.intersection(with_)
    }
