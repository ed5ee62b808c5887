"""CloudWatch Logs: the key that encrypts a log group, which moto does not let change."""

from __future__ import annotations

from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body

LOG_GROUP = "logs/LogGroup"


def _associate(asked: Asked) -> Body:
    """Amazon CloudWatch Logs API Reference, AssociateKmsKey."""
    asked.shelves.put(LOG_GROUP, _name(asked), {"kmsKeyId": asked.given["kmsKeyId"]})
    return {}


def _disassociate(asked: Asked) -> Body:
    """Amazon CloudWatch Logs API Reference, DisassociateKmsKey."""
    asked.shelves.put(LOG_GROUP, _name(asked), {"kmsKeyId": None})
    return {}


def _name(asked: Asked) -> str:
    """A group is named, or its ARN is given."""
    named = asked.given.get("logGroupName") or asked.given["resourceIdentifier"]
    return str(named).rpartition(":log-group:")[2]


def _describe(asked: Asked) -> Body:
    """Amazon CloudWatch Logs API Reference, DescribeLogGroups."""
    answer = asked.moto()
    return {**answer, "logGroups": [_remembered(asked, group) for group in answer["logGroups"]]}


def _remembered(asked: Asked, group: Body) -> Body:
    changed = {**group, **(asked.shelves.get(LOG_GROUP, group["logGroupName"]) or {})}
    return {name: value for name, value in changed.items() if value is not None}


def _delete(asked: Asked) -> Body:
    """Amazon CloudWatch Logs API Reference, DeleteLogGroup."""
    answer = asked.moto()
    asked.shelves.drop(LOG_GROUP, asked.given["logGroupName"])
    return answer


STAND_INS: StandIns = {
    ("logs", "AssociateKmsKey"): _associate,
    ("logs", "DisassociateKmsKey"): _disassociate,
    ("logs", "DescribeLogGroups"): _describe,
    ("logs", "DeleteLogGroup"): _delete,
}
