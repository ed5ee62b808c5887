"""Smithy's RPC v2 with CBOR, which AWS's SDK for Go speaks with CloudWatch and moto does not read.

Such a call is made in JSON instead, which CloudWatch has too, and the answer is translated back.
Smithy 2.0 specification, "Smithy RPC v2 CBOR protocol".
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from botocore.model import DenormalizedStructureBuilder, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from werkzeug.test import run_wsgi_app

from lab.aws_api.calls import Environ, read_call, response
from lab.aws_journal import WsgiApp

PROTOCOL = "smithy-rpc-v2-cbor"
"""As botocore calls it."""
_HEADER = "rpc-v2-cbor"
_PATH = re.compile(r"/service/(\w+)/operation/(\w+)")
_ERROR: Any = (
    DenormalizedStructureBuilder()
    .with_members({"__type": {"type": "string"}, "message": {"type": "string"}})
    .build_model()
)


class Translated:
    """A WSGI application before one that reads JSON."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        named = _PATH.fullmatch(environ["PATH_INFO"])
        if named is None or environ.get("HTTP_SMITHY_PROTOCOL") != _HEADER:
            return self._app(environ, start_response)
        body = _as_json(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        inner = {
            **environ,
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "HTTP_X_AMZ_TARGET": ".".join(named.groups()),
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        call = read_call(inner, body)
        parts, status, headers = run_wsgi_app(self._app, inner, buffered=True)
        code, content = int(status.partition(" ")[0]), b"".join(parts)
        if call is None:
            return response(start_response, code, headers.items(), content)
        said = {name.lower(): value for name, value in headers.items()}
        shape = call.operation.output_shape
        translated = {
            "smithy-protocol": _HEADER,
            "Content-Type": "application/cbor",
            **{name: said[name] for name in ("x-amzn-query-error",) if name in said},
        }
        reply = {"status_code": code, "headers": said, "body": content}
        return response(start_response, code, translated.items(), _as_cbor(reply, shape))


def _as_json(body: bytes) -> bytes:
    reader: Any = create_parser(PROTOCOL)
    stream = reader.get_peekable_stream_from_bytes(body)
    return json.dumps(reader.parse_data_item(stream) if body else {}, default=_seconds).encode()


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _as_cbor(reply: dict[str, Any], shape: Shape | None) -> bytes:
    parser: Any = create_parser("json")
    parsed = parser.parse(reply, shape)
    if reply["status_code"] >= HTTPStatus.BAD_REQUEST:
        error = parsed["Error"]
        return _encoded({"__type": error["Code"], "message": error["Message"]}, _ERROR)
    parsed.pop("ResponseMetadata", None)
    return _encoded(parsed, shape) if shape else b""


def _encoded(value: dict[str, Any], shape: Shape) -> bytes:
    writer: Any = create_serializer(PROTOCOL, False)
    written = bytearray()
    writer._serialize_data_item(written, value, shape)
    return bytes(written)
