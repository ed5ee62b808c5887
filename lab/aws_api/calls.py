"""A call of AWS's API, read from its HTTP request with AWS's own service models."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeAlias

from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

Body: TypeAlias = dict[str, Any]
Environ: TypeAlias = dict[str, Any]

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_SERVICES = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "elasticloadbalancing": ("elbv2", "elb"),
    "email": ("sesv2", "ses"),
    "monitoring": ("cloudwatch",),
    "servicequotas": ("service-quotas",),
    "tagging": ("resourcegroupstaggingapi",),
}
"""Names in signatures that are not the names of botocore's models."""
_UNSIGNED = ("nobody", "us-east-1", "sts")
"""AssumeRoleWithWebIdentity is called without credentials; no other unsigned call is known."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One operation of one service with its parameters, and whose access key signed it."""

    access_key: str
    region: str
    signing_name: str
    operation: OperationModel
    protocol: str
    parameters: Body
    user_agent: str = ""

    @property
    def service(self) -> str:
        """The service as botocore names it."""
        return str(self.operation.service_model.service_name)

    @property
    def key(self) -> tuple[str, str]:
        """`("eks", "CreateCluster")`."""
        return self.service, self.operation.name


class MalformedCallError(ValueError):
    """A call whose parameters cannot be read, such as a number that is no number."""

    def __init__(self, call: Call, reason: str) -> None:
        self.call = call
        """The call without its parameters."""
        super().__init__(reason)


def read_call(environ: Mapping[str, Any], body: bytes) -> Call | None:
    """The call in a request; None when botocore's models know no such call.

    Raises MalformedCallError when it is one and its parameters cannot be read.
    """
    signed = _signature(environ, body)
    if signed is None:
        return None
    access_key, region, signing_name = signed
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    for service in _SERVICES.get(signing_name, (signing_name,)):
        found = _operation(service, request)
        if found is None:
            continue
        operation, labels, protocol = found
        bare = Call(
            access_key=access_key,
            region=region,
            signing_name=signing_name,
            operation=operation,
            protocol=protocol,
            parameters={},
            user_agent=str(environ.get("HTTP_USER_AGENT", "")),
        )
        return replace(bare, parameters=_parameters(bare, labels, request, body))
    return None


def claimed_service(environ: Mapping[str, Any]) -> str:
    """The service that a request says it is for; empty when it says none."""
    found = _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")))
    return found[3] if found else ""


def _signature(environ: Mapping[str, Any], body: bytes) -> tuple[str, str, str] | None:
    found = _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")))
    if found:
        return found[1], found[2], found[3]
    return _UNSIGNED if b"Action=AssumeRoleWithWebIdentity" in body else None


def _operation(service: str, request: Request) -> tuple[OperationModel, Body, str] | None:
    try:
        model = get_service_model(service)
        if request.values.get("Version", model.api_version) != model.api_version:
            return None
        operation, labels = get_service_router(service).match(request)
        return operation, labels, determine_request_protocol(model, request.content_type)
    except (UnknownServiceError, NotFound, NotImplementedError):
        return None


def _parameters(call: Call, labels: Body, request: Request, body: bytes) -> Body:
    parser: Any = PROTOCOL_PARSERS[call.protocol](call.operation)
    try:
        if body and "json" in call.protocol and call.operation.input_shape is not None:
            # The parser accepts a body that is no JSON, and reads a text as a list of letters.
            found = list(_misshapen(json.loads(body), call.operation.input_shape, "the body"))
            if found:
                raise MalformedCallError(call, "; ".join(found))
        parsed: Body = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": labels,
            }
        )
    except MalformedCallError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise MalformedCallError(call, f"the request cannot be read: {error}") from error
    return parsed


def _misshapen(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """The places where a JSON document differs from its shape, such as a text for a list."""
    expected = {"structure": dict, "map": dict, "list": list}.get(shape.type_name)
    if value is None or expected is None or getattr(shape, "is_document_type", False):
        return
    if not isinstance(value, expected):
        valid = expected.__name__
        yield f"Invalid type for parameter {path}, value: {value!r}, valid type: {valid}"
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from _misshapen(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _misshapen(item, shape.value, f"{path}.{key}")
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            inner = str(member.serialization.get("name", name))
            if inner in value:
                yield from _misshapen(value[inner], member, _within(path, name))


def _within(path: str, name: str) -> str:
    return name if path == "the body" else f"{path}.{name}"


def response(
    start_response: Any, status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> list[bytes]:
    """Answers a WSGI request."""
    start_response(f"{status} {HTTPStatus(status).phrase}", list(headers))
    return [body]
