"""Gets each request first: refuses what AWS would refuse, and records the call."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug.test import run_wsgi_app

from lab.aws_api import permissions
from lab.aws_api.answers import UNANSWERED, Refusal, answer, denied, invalid
from lab.aws_api.backend import CALL
from lab.aws_api.calls import (
    Call,
    Environ,
    MalformedCallError,
    claimed_service,
    read_call,
    response,
)
from lab.aws_api.limits import problems
from lab.aws_api.record import NOBODY, Record
from lab.aws_api.stand_ins import STAND_INS
from lab.aws_journal import WsgiApp
from lab.site import Site


class Frontend:
    """A WSGI application before the journal, which gets no request that is refused."""

    def __init__(
        self, backend: WsgiApp, site: Site, stand_ins: Collection[tuple[str, str]] = STAND_INS
    ) -> None:
        self._backend = backend
        self._record = Record(site.aws_calls)
        self._checked_roles = site.checked_roles
        self._stand_ins = stand_ins

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            call = read_call(environ, body)
        except MalformedCallError as error:
            return self._refuse(error.call, invalid(error.call, [str(error)]), start_response)
        if call is None:
            return self._unknown(environ, start_response)
        refusal = self._refusal(call)
        if refusal is not None:
            return self._refuse(call, refusal, start_response)
        environ[CALL] = call
        return self._answered(call, environ, start_response)

    def _refuse(self, call: Call, refusal: Refusal, start_response: Any) -> Iterable[bytes]:
        self._record.call(call, "refused", int(refusal.status or HTTPStatus.BAD_REQUEST))
        return answer(call, refusal, start_response)

    def _refusal(self, call: Call) -> Refusal | None:
        found = problems(call)
        if found:
            return invalid(call, found)
        not_allowed = permissions.refusal(call, permissions.checked_roles(self._checked_roles))
        return denied(call, *not_allowed) if not_allowed else None

    def _answered(self, call: Call, environ: Environ, start_response: Any) -> Iterable[bytes]:
        parts, status, headers = run_wsgi_app(self._backend, environ, buffered=True)
        code = int(status.partition(" ")[0])
        by = "stand-in" if call.key in self._stand_ins else "moto"
        self._record.call(call, NOBODY if code == UNANSWERED else by, code)
        start_response(status, list(headers.items()))
        return parts

    def _unknown(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Refuse a request that is signed for a service but is none of its operations."""
        service = claimed_service(environ)
        if not service:
            return self._backend(environ, start_response)
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self._record.unknown(service, method, path, UNANSWERED)
        message = f"AWS's models know no such call of {service}: {method} {path}"
        plain = [("Content-Type", "text/plain")]
        return response(start_response, UNANSWERED, plain, message.encode())
