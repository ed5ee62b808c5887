"""CloudWatch Logs: the key that encrypts a log group, which moto cannot change."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body

LOG_GROUP = "logs/LogGroup"


def _associate(request: ApiRequest) -> Body:
    """Amazon CloudWatch Logs API Reference, AssociateKmsKey."""
    request.store.put(LOG_GROUP, _name(request), {"kmsKeyId": request.given["kmsKeyId"]})
    return {}


def _disassociate(request: ApiRequest) -> Body:
    """Amazon CloudWatch Logs API Reference, DisassociateKmsKey."""
    request.store.put(LOG_GROUP, _name(request), {"kmsKeyId": None})
    return {}


def _name(request: ApiRequest) -> str:
    """The group's name, from the name or the ARN in the call."""
    named = request.given.get("logGroupName") or request.given["resourceIdentifier"]
    return str(named).rpartition(":log-group:")[2]


def _describe(request: ApiRequest) -> Body:
    """Amazon CloudWatch Logs API Reference, DescribeLogGroups."""
    answer = request.moto()
    return {**answer, "logGroups": [_remembered(request, group) for group in answer["logGroups"]]}


def _remembered(request: ApiRequest, group: Body) -> Body:
    changed = {**group, **(request.store.get(LOG_GROUP, group["logGroupName"]) or {})}
    return {name: value for name, value in changed.items() if value is not None}


def _delete(request: ApiRequest) -> Body:
    """Amazon CloudWatch Logs API Reference, DeleteLogGroup."""
    answer = request.moto()
    request.store.drop(LOG_GROUP, request.given["logGroupName"])
    return answer


STAND_INS: StandIns = {
    ("logs", "AssociateKmsKey"): _associate,
    ("logs", "DisassociateKmsKey"): _disassociate,
    ("logs", "DescribeLogGroups"): _describe,
    ("logs", "DeleteLogGroup"): _delete,
}
