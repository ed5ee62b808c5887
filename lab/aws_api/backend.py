"""Answers a call with a stand-in or with moto."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.backends import get_backend
from moto.iam.models import get_account_id_from
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.test import EnvironBuilder, run_wsgi_app

from lab.aws_api.answers import Refusal, answer, unanswered
from lab.aws_api.api_request import ApiRequest, StandIn
from lab.aws_api.calls import Body, Call, Environ, read_call, response
from lab.aws_api.stand_ins import STAND_INS
from lab.aws_api.store import Store
from lab.aws_journal import AT
from lab.site import Site

CALL = "lab.call"
"""The key in the environ for the call that the frontend has read."""


class Backend:
    """A WSGI application: moto, and what moto lacks.

    The stand-ins' state is in memory, by account and region; the journal's replay rebuilds it.
    """

    def __init__(
        self,
        moto: DomainDispatcherApplication,
        site: Site,
        stand_ins: Mapping[tuple[str, str], StandIn] = STAND_INS,
    ) -> None:
        self._moto = moto
        self._site = site
        self._stand_ins = stand_ins
        self._stores: dict[tuple[str, str], Store] = {}
        for service in sorted({service for service, _ in stand_ins}):
            # Some of moto's modules draw random numbers when they are imported.
            mock_random.seed(service)
            load: Any = get_backend
            load(service)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        call: Call | None = environ.get(CALL) or read_call(environ, body)
        if call is None:
            unread: Iterable[bytes] = self._moto(environ, start_response)
            return unread
        if call.key in self._stand_ins:
            result = self._result(call, environ.get(AT) or datetime.now(UTC))
            return answer(call, result, start_response)
        reply = _reply(self._moto, environ)
        if reply is None:
            return answer(call, unanswered(call), start_response)
        status, headers, content = reply
        return response(start_response, status, headers.items(), content)

    def _result(self, call: Call, now: datetime) -> Body | Refusal:
        try:
            return self._stood_in(call, now)
        except Refusal as refusal:
            return refusal

    def _stood_in(self, call: Call, now: datetime) -> Body:
        """The answer of a stand-in, or of moto where there is none. Raises Refusal."""
        stand_in = self._stand_ins.get(call.key)
        if stand_in is None:
            return ask_moto(self._moto, call)
        account = get_account_id_from(call.access_key)
        return stand_in(
            ApiRequest(
                call=call,
                account=account,
                site=self._site,
                now=now,
                store=self._stores.setdefault((account, call.region), Store()),
                answer_of=lambda other: self._stood_in(other, now),
                moto_of=lambda other: ask_moto(self._moto, other),
            )
        )


def ask_moto(moto: DomainDispatcherApplication, call: Call) -> Body:
    """What moto answers to a call. Raises Refusal."""
    reply = _reply(moto, _environ(call))
    if reply is None:
        raise unanswered(call)
    status, headers, content = reply
    parser: Any = create_parser(call.protocol)
    lower = {name.lower(): value for name, value in headers.items()}
    raw: Any = {"status_code": status, "headers": lower, "body": content}
    parsed: Body = parser.parse(raw, call.operation.output_shape)
    if error := parsed.get("Error"):
        raise Refusal(error.get("Code", "Unknown"), error.get("Message", ""), HTTPStatus(status))
    parsed.pop("ResponseMetadata", None)
    return parsed


def _reply(
    moto: DomainDispatcherApplication, environ: Environ
) -> tuple[int, dict[str, str], bytes] | None:
    """Status, headers and content; None when moto does not know the service or the operation."""
    try:
        service = moto.get_application(environ)
    except AttributeError:
        return None  # moto's way to say that it has no such service
    try:
        parts, status, headers = run_wsgi_app(service, environ, buffered=True)
    except NotImplementedError:
        return None
    code = int(status.partition(" ")[0])
    if code == HTTPStatus.NOT_FOUND and headers.get("Content-Type", "").startswith("text/html"):
        return None  # there is no such route; AWS's own errors are JSON or XML
    return code, dict(headers), b"".join(parts)


def _environ(call: Call) -> Environ:
    """The HTTP request of a call, with its caller's access key and no valid signature."""
    serializer: Any = create_serializer(call.protocol)
    request = serializer.serialize_to_request(call.parameters, call.operation)
    scope = f"{call.access_key}/20260101/{call.region}/{call.signing_name}/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    headers: Any = {**request["headers"], "Authorization": signature}
    return EnvironBuilder(
        method=request["method"],
        path=request["url_path"],
        query_string=request["query_string"],
        headers=headers,
        data=request["body"],
    ).get_environ()
