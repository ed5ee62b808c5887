"""Receives webhooks, so that tests can see the notifications that Argo CD sends.

POST to any path stores a document. GET of the same path, or of one above it, lists what came.
DELETE deletes it.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Request, Response

from lab.daemon import Daemon
from lab.http_server import as_json, serve
from lab.readiness import http_ok
from lab.site import Site


def daemon(site: Site) -> Daemon:
    return Daemon(
        name="webhook-receiver",
        port=site.port("webhook-receiver"),
        ready=http_ok(f"{site.url('webhook-receiver')}/"),
        command=(sys.executable, "-m", "lab.daemons.webhook_receiver"),
    )


class Deliveries:
    """The documents in the order of their arrival."""

    def __init__(self) -> None:
        self._documents: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def add(self, path: str, body: bytes) -> None:
        """Add a document; a body that is not JSON is stored as text."""
        try:
            content = json.loads(body)
        except ValueError:
            content = body.decode(errors="replace")
        received = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._documents.append({"path": path, "received": received, "body": content})

    def below(self, path: str) -> list[dict[str, Any]]:
        """The documents that came to `path` or below it."""
        with self._lock:
            return [d for d in self._documents if _is_below(d["path"], path)]

    def delete(self, path: str) -> None:
        """Delete the documents that came to `path` or below it."""
        with self._lock:
            self._documents = [d for d in self._documents if not _is_below(d["path"], path)]

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        match request.method:
            case "POST":
                self.add(request.path, request.get_data())
                return Response(status=HTTPStatus.CREATED)
            case "DELETE":
                self.delete(request.path)
                return Response(status=HTTPStatus.NO_CONTENT)
        return as_json(self.below(request.path))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


if __name__ == "__main__":
    serve(Site.from_environment().port("webhook-receiver"), Deliveries().answer)
