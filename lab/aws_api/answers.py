"""Answers of AWS's API: results and refusals in the protocol of the call."""

from __future__ import annotations

import warnings
from http import HTTPStatus
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.serialize import get_serializer_class

from lab.aws_api.calls import Body, Call, response

_INVALID = ("ValidationException", "InvalidParameterException", "InvalidInputException")
_PLAIN_INVALID = {"ec2": "InvalidParameterValue", "query": "ValidationError"}
_DENIED = {"ec2": "UnauthorizedOperation", "query": "AccessDenied", "rest-xml": "AccessDenied"}
UNANSWERED = HTTPStatus.NOT_IMPLEMENTED
"""The status of a call that neither moto nor a stand-in answers; AWS itself never gives it."""


class Refusal(ServiceException):
    """AWS answers with an error: its code in the service's API, and its message."""

    def __init__(self, code: str, message: str, status: HTTPStatus | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        """The HTTP status where the service's model does not say it."""


def invalid(call: Call, problems: list[str]) -> Refusal:
    """The refusal of parameters, with the service's own error code if its model has one."""
    declared = {str(shape.name) for shape in call.operation.error_shapes}
    code = next((one for one in _INVALID if one in declared), None)
    code = code or _PLAIN_INVALID.get(call.protocol, "ValidationException")
    whole = f"{call.service}:{call.operation.name}: {'; '.join(problems)}"
    return Refusal(code, whole, HTTPStatus.BAD_REQUEST)


def denied(call: Call, caller: str, action: str, why: str) -> Refusal:
    """The refusal of a caller without the permission."""
    code = _DENIED.get(call.protocol, "AccessDeniedException")
    message = f"{caller} is not authorized to perform: {action} because {why}"
    return Refusal(code, f"User: {message}", HTTPStatus.FORBIDDEN)


def unanswered(call: Call) -> Refusal:
    """The answer to an operation that the lab does not have."""
    action = f"{call.service}:{call.operation.name}"
    message = f"the lab's AWS does not have {action}: add it to lab/aws_api/stand_ins/"
    return Refusal("NotImplemented", message, UNANSWERED)


def answer(call: Call, result: Body | Refusal, start_response: Any) -> list[bytes]:
    """Serialises a result or a refusal as the service does."""
    serializer = get_serializer_class(call.service, call.protocol)(call.operation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about codes that every service has and no model declares
        said = serializer.serialize(result)
    status, body = said["status_code"], said["body"]
    if isinstance(result, Refusal) and result.status is not None:
        status = result.status.value
    content = body.encode() if isinstance(body, str) else body
    headers = {**said["headers"], "Content-Length": str(len(content))}
    return response(start_response, status, headers.items(), content)
