"""`aws` of a service: what its pods may do in AWS."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from settings.model import Matching, Model, PolicyArn, different

MOST_POLICIES = 10
"""Attached to one role: IAM and AWS STS quotas, "Managed policies attached to an IAM role"."""

Action = Annotated[
    str,
    Matching(
        r"[a-z0-9-]+:[A-Za-z0-9*?]+",
        "must be an action of IAM with its service, such as s3:GetObject or sqs:*",
    ),
]
Resource = Annotated[
    str,
    Matching(
        r"\*|arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9*?-]*:(\d{12}|aws|\*)?:[^\s\x00-\x1f]+",
        "must be an ARN such as arn:aws:s3:::acme-media/*, or *",
    ),
]
Operator = Annotated[
    str,
    Matching(
        r"Null|(ForAllValues:|ForAnyValue:)?("
        r"String(Not)?(Equals(IgnoreCase)?|Like)|Arn(Not)?(Equals|Like)|Bool|BinaryEquals|"
        r"(Not)?IpAddress|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?))(IfExists)?",
        "must be an operator of IAM's conditions such as StringEquals",
    ),
]
ConditionKey = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9-]+:[^\s\x00-\x1f]+", "must be a key of IAM's conditions such as s3:prefix"
    ),
]


class Statement(Model):
    """What is allowed on which resources, as IAM has it."""

    actions: Annotated[list[Action], different] = Field(min_length=1, description="such as s3:*")
    resources: Annotated[list[Resource], different] = Field(min_length=1, description="ARNs")
    condition: dict[Operator, dict[ConditionKey, str | list[str]]] = Field(
        default={}, description="when alone: operators of IAM with their keys and values"
    )

    def policy(self, number: int) -> dict[str, Any]:
        """The statement in a policy document; number: its place among the others, from 1."""
        condition = {"Condition": dict(self.condition)} if self.condition else {}
        return {
            "Sid": f"Statement{number}",
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
            **condition,
        }


class Rights(Model):
    """The rights of a service's own role; what is not allowed here is denied."""

    policies: Annotated[list[PolicyArn], different] = Field(
        default=[], max_length=MOST_POLICIES, description="ARNs of managed policies"
    )
    statements: list[Statement] = Field(default=[], description="what else is allowed")

    @model_validator(mode="after")
    def not_empty(self) -> Self:
        if not self.policies and not self.statements:
            raise ValueError("allows nothing; add policies or statements, or remove it")
        return self

    def documents(self) -> list[dict[str, Any]]:
        """The statements, as a policy document has them."""
        return [one.policy(number) for number, one in enumerate(self.statements, start=1)]

    @property
    def characters(self) -> int:
        """What IAM counts of the statements: no white space."""
        return len(json.dumps(self.documents(), separators=(",", ":")))
