"""IAM policy documents: who may do what to which resource, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "2012-10-17"
"""The current policy language; the older one knows no variables."""


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document of `statements`, in their order."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, indent=2)


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], **more: object
) -> dict[str, Any]:
    """A statement that allows `actions` on `resources`; `more` holds Principal or Condition."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
        **more,
    }


def trust_service(service: str, account: str | None = None, *, tagging: bool = False) -> str:
    """Who assumes a role: one AWS service, such as eks.amazonaws.com.

    account: where the service acts on behalf of several, the one that it has to act for.
    tagging: the service also tags its sessions.
    """
    on_behalf = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}} if account else {}
    return document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": ["sts:AssumeRole", "sts:TagSession"] if tagging else ["sts:AssumeRole"],
            **on_behalf,
        }
    )


def trust_pods(cluster_arn: str, *, namespace: str, service_account: str) -> str:
    """Who assumes a role: pods of one service account of one cluster, by way of EKS Pod Identity.

    EKS names the pod in tags of the session, and a trust policy may compare these tags (Amazon EKS
    User Guide, "Create IAM role with trust policy required by EKS Pod Identity"). The association
    must not disable session tags.
    """
    tags = {
        "eks-cluster-arn": cluster_arn,
        "kubernetes-namespace": namespace,
        "kubernetes-service-account": service_account,
    }
    return document(
        {
            "Sid": "AssumeByPods",
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {f"aws:RequestTag/{tag}": value for tag, value in tags.items()}
            },
        }
    )


def write_logs(log_group_arn: str) -> str:
    """Add streams and records to one log group."""
    return document(
        allow(
            "WriteLogs",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group_arn, f"{log_group_arn}:log-stream:*"],
        ),
        allow("FindLogGroups", ["logs:DescribeLogGroups"], ["*"]),
    )
