"""External Secrets' values and rights. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components import policies
from settings.aws_account import AwsAccount
from settings.naming import Names

NAMESPACE = "external-secrets"
SERVICE_ACCOUNT = "external-secrets"
SESSION_TAGS = ("namespace", "service")
"""Whose secrets a session of the reading role reads."""
_GROUP = "external-secrets.io"
_OBJECTS = ["externalsecrets", "secretstores"]
_PARTS = [f"{kind}/{part}" for kind in _OBJECTS for part in ("finalizers", "status")]
Rule = Mapping[str, list[str]]


def values() -> dict[str, Any]:
    """The chart's values: one process, which knows stores and secrets of namespaces alone."""
    return {
        "serviceAccount": {"name": SERVICE_ACCOUNT},
        # The chart's rights write every Secret of the cluster; see cluster_rules().
        "rbac": {"create": False},
        # Each would be another way to a value: out of a namespace, or into Secrets Manager.
        "processClusterExternalSecret": False,
        "processClusterGenerator": False,
        "processClusterPushSecret": False,
        "processClusterStore": False,
        "processPushSecret": False,
        "crds": {
            "createClusterExternalSecret": False,
            "createClusterGenerator": False,
            "createClusterPushSecret": False,
            "createClusterSecretStore": False,
            "createPushSecret": False,
        },
        # They check what this program writes, and stop every sync while they do not answer.
        "webhook": {"create": False},
        "certController": {"create": False},
        "concurrent": 4,
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
    }


def cluster_rules() -> list[Rule]:
    """What it reads everywhere: it watches either one namespace or all of them."""
    seeing = ["get", "list", "watch"]
    return [
        {"api_groups": [_GROUP], "resources": _OBJECTS, "verbs": seeing},
        {
            "api_groups": ["generators.external-secrets.io"],
            "resources": ["generatorstates"],
            "verbs": seeing,
        },
        {"api_groups": [""], "resources": ["secrets"], "verbs": seeing},
        {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]


def namespace_rules() -> list[Rule]:
    """What it writes in a namespace whose services have secrets."""
    return [
        {
            "api_groups": [""],
            "resources": ["secrets"],
            "verbs": ["create", "delete", "patch", "update"],
        },
        {
            "api_groups": [_GROUP],
            "resources": [*_OBJECTS, *_PARTS],
            "verbs": ["get", "patch", "update"],
        },
    ]


def rotation_rules(secrets: Sequence[str]) -> list[Rule]:
    """What the program that rolls pods needs in a namespace: those Secrets, and the workloads."""
    return [
        {
            "api_groups": ["apps"],
            "resources": ["deployments", "statefulsets"],
            "verbs": ["list", "patch"],
        },
        {
            "api_groups": [""],
            "resources": ["secrets"],
            "resource_names": list(secrets),
            "verbs": ["get"],
        },
    ]


def take_policy(reader_arn: str) -> str:
    """What External Secrets itself may do in AWS: become the reader, for one service at a time."""
    return policies.document(
        policies.allow("ReadForAService", ["sts:AssumeRole", "sts:TagSession"], [reader_arn])
    )


def reader_trust(operator_arn: str) -> str:
    """Who becomes the reader: External Secrets, when it says for which service."""
    named = {f"aws:RequestTag/{tag}": "?*" for tag in SESSION_TAGS}
    return policies.document(
        {
            "Sid": "ReadForAService",
            "Effect": "Allow",
            "Principal": {"AWS": operator_arn},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringLike": named},
        }
    )


def reader_policy(names: Names, account: AwsAccount) -> str:
    """What the reader reads: the secrets of the session's service in this environment."""
    namespace, service = (f"${{aws:PrincipalTag/{tag}}}" for tag in SESSION_TAGS)
    path = names.secrets(namespace, service)
    return policies.document(
        policies.allow(
            "ReadOwnSecrets",
            ["secretsmanager:GetSecretValue"],
            [account.arn("secretsmanager", f"secret:{path}*")],
        )
    )


def store_spec(
    names: Names, *, region: str, reader_arn: Any, namespace: str, service: str
) -> dict[str, Any]:
    """The SecretStore of a service: the reader's session for it, and where its secrets are.

    reader_arn: text, or an output of the engine.
    """
    tags = dict(zip(SESSION_TAGS, (namespace, service), strict=True))
    return {
        "provider": {
            "aws": {
                "service": "SecretsManager",
                "region": region,
                "role": reader_arn,
                "sessionTags": [{"key": key, "value": value} for key, value in tags.items()],
                "prefix": names.secrets(namespace, service),
            }
        }
    }
