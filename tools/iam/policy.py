"""Policy documents, no larger than IAM takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from settings.environment import Settings
from tools.iam.beside import whole
from tools.iam.scopes import NODE_SCHEDULES, OBSERVABILITY, SCOPES, Where

Document = dict[str, Any]
VERSION = "2012-10-17"
MANAGED_POLICY_CHARACTERS = 6144
"""Of one managed policy, white space not counted: IAM and AWS STS quotas."""


class UnknownActionError(Exception):
    """An action was called that scopes.py does not allow anywhere."""

    def __init__(self, actions: Iterable[str]) -> None:
        super().__init__(
            f"tools/iam/scopes.py has no line for {', '.join(sorted(actions))}; add each to a "
            "scope, or to NEEDS_NO_PERMISSION in tools/iam/beside.py"
        )


def allow(sid: str, actions: Sequence[str], on: Sequence[str], **more: object) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": on, **more}


def documents(settings: Settings, called: Iterable[str]) -> list[Document]:
    """The rights of the role that runs the program for `settings`, as managed policies.

    called: the actions that a record shows, such as `eks:CreateCluster`. Raises
    UnknownActionError.
    """
    actions = whole(called) | _switched_on(settings)
    if unknown := actions - set().union(*(scope.names() for scope in SCOPES)):
        raise UnknownActionError(unknown)
    where = Where(settings)
    statements = [
        allow(scope.sid, sorted(used), scope.resources(where), **_condition(scope, where))
        for scope in SCOPES
        if (used := scope.names() & actions)
    ]
    return _packed(statements)


def _switched_on(settings: Settings) -> set[str]:
    """The actions of what the stack has and the committed ones, whose calls are known, do not."""
    config = settings.config
    scopes = [
        *(OBSERVABILITY if config.observability else ()),
        *(NODE_SCHEDULES if any(group.schedule for group in config.cluster.node_groups) else ()),
    ]
    return set().union(*(scope.names() for scope in scopes))


def _condition(scope: Any, where: Where) -> dict[str, object]:
    condition = scope.condition and scope.condition(where)
    return {"Condition": condition} if condition else {}


def _packed(statements: Sequence[Mapping[str, Any]]) -> list[Document]:
    """Whole statements in as few documents as hold them, in their order."""
    packed: list[Document] = []
    for statement in statements:
        if packed and size(_with(packed[-1], statement)) <= MANAGED_POLICY_CHARACTERS:
            packed[-1] = _with(packed[-1], statement)
        else:
            packed.append({"Version": VERSION, "Statement": [statement]})
    return packed


def _with(document: Document, statement: Mapping[str, Any]) -> Document:
    return {**document, "Statement": [*document["Statement"], statement]}


def size(document: Document) -> int:
    """The characters that IAM counts."""
    return len(json.dumps(document, separators=(",", ":")))


_IMAGES = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:ListImages",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]
"""What nodes and pipelines need to pull and push images."""


def boundary(settings: Settings) -> Document:
    """The permissions boundary of the roles that the program creates.

    It allows what control plane, nodes, add-ons, Keel, External Secrets, the way in and pipelines
    need of AWS, and nothing of IAM except EKS's look at its own roles and, in Auto Mode, instance
    profiles of nodes, so that no role can become an administrator. What services may be given
    (`aws`) has to be added by hand.
    """
    where = Where(settings)
    region = {"StringEquals": {"aws:RequestedRegion": settings.environment.region}}
    return {
        "Version": VERSION,
        "Statement": [
            allow(
                "Machines",
                ["ec2:*", "elasticloadbalancing:*", "autoscaling:*"],
                ["*"],
                Condition=region,
            ),
            allow("Images", _IMAGES, ["*"]),
            allow(
                "Logs",
                ["logs:CreateLogStream", "logs:DescribeLog*", "logs:PutLogEvents"],
                [where.arn("logs", "log-group:*")],
            ),
            allow(
                "Clusters",
                ["eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"],
                [where.arn("eks", f"cluster/{cluster}") for cluster in where.clusters],
            ),
            allow(
                "Keys",
                ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt",
                 "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
                [where.arn("kms", "key/*")],
            ),
            allow(
                "LinkedRoles",
                ["iam:CreateServiceLinkedRole"],
                [where.arn("iam", "role/aws-service-role/*", everywhere=True)],
            ),
            allow("OwnSession", ["sts:TagSession"], ["*"]),
            *(_auto_mode(where) if settings.config.cluster.auto else ()),
            *_of_secrets(where),
            *_of_names(where),
            *(_of_agents(where) if settings.config.observability else ()),
        ],
    }  # fmt: skip


def _auto_mode(where: Where) -> list[Document]:
    """The control plane gives nodes their role by instance profiles that it makes itself."""
    nodes = where.settings.environment.names.role("auto-nodes")
    return [
        allow(
            "InstanceProfiles",
            [
                f"iam:{action}InstanceProfile"
                for action in ("AddRoleTo", "Create", "Delete", "Get", "RemoveRoleFrom", "Tag")
            ],
            [where.arn("iam", "instance-profile/eks*", everywhere=True)],
        ),
        allow(
            "NodesRole",
            ["iam:PassRole"],
            [where.arn("iam", f"role/{nodes}", everywhere=True)],
            Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        ),
    ]


def _of_agents(where: Where) -> list[Document]:
    """What the CloudWatch agents need; metrics have no ARN."""
    groups = [where.arn("logs", f"log-group:/aws/containerinsights/{c}/*") for c in where.clusters]
    return [
        allow("Metrics", ["cloudwatch:PutMetricData"], ["*"]),
        allow("LogGroups", ["logs:CreateLogGroup", "logs:PutRetentionPolicy"], groups),
    ]


def _of_secrets(where: Where) -> list[Document]:
    """What External Secrets needs, if it is there."""
    environment = where.settings.environment
    if not any(where.settings.living.secretive()):
        return []
    secrets = where.arn("secretsmanager", f"secret:{environment.names.secrets('*', '*')}*")
    reader = environment.aws_account.role_arn(environment.names.role("secrets-reader"))
    return [
        allow("Secrets", ["secretsmanager:GetSecretValue"], [secrets]),
        allow("ReadSecrets", ["sts:AssumeRole"], [reader]),
    ]


def _of_names(where: Where) -> list[Document]:
    """What external-dns and the load balancer's controller need, if there is a way in."""
    if not where.settings.config.ingress:
        return []
    zones = where.settings.environment.aws_account.dns_arn("hostedzone/*")
    changing = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"]
    return [
        allow("Names", changing, [zones]),
        allow(
            "Look",
            ["acm:DescribeCertificate", "acm:ListCertificates", "route53:ListHostedZones"],
            ["*"],
        ),
    ]
