"""What the lab's own HTTP servers share: the loopback address, threads, JSON."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lab.site import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def as_json(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A response with `content` as JSON."""
    return Response(json.dumps(content), status, content_type="application/json")


def serve(
    port: int,
    answer: Callable[[Request], Response],
    certificate: tuple[str, str] | None = None,
) -> None:
    """Answer requests on `port` of the loopback address until SIGTERM comes.

    `certificate`: the files of a certificate and its key, for HTTPS.
    """
    serve_wsgi(port, Request.application(answer), certificate)


def serve_wsgi(
    port: int, application: WSGIApplication, certificate: tuple[str, str] | None = None
) -> None:
    """Serve a WSGI application on `port` of the loopback address until SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    make_server(HOST, port, application, threaded=True, ssl_context=certificate).serve_forever()
