"""The inbox: keeps every JSON document posted to it, so that one can see who was notified of what.

POST anywhere to leave a document, GET the same place (or `/` for all) to read what came, DELETE
to forget it.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from lab.http_server import JsonHandler, serve
from lab.part import Part
from lab.readiness import http_ok
from lab.site import Site


def part(site: Site) -> Part:
    return Part(
        name="inbox",
        port=site.port("inbox"),
        ready=http_ok(f"{site.url('inbox')}/"),
        command=(sys.executable, "-m", "lab.daemons.inbox"),
    )


class Inbox:
    """Documents in the order of their arrival."""

    def __init__(self) -> None:
        self._documents: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def keep(self, path: str, body: bytes) -> None:
        """Keeps a document; a body that is not JSON is kept as text."""
        try:
            content = json.loads(body)
        except ValueError:
            content = body.decode(errors="replace")
        received = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._documents.append({"path": path, "received": received, "body": content})

    def below(self, path: str) -> list[dict[str, Any]]:
        """The documents left at `path` or below it."""
        with self._lock:
            return [d for d in self._documents if _is_below(d["path"], path)]

    def forget(self, path: str) -> None:
        with self._lock:
            self._documents = [d for d in self._documents if not _is_below(d["path"], path)]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


class _Handler(JsonHandler):
    inbox = Inbox()

    def do_GET(self) -> None:
        self.answer(self.inbox.below(self.path))

    def do_POST(self) -> None:
        self.inbox.keep(self.path, self.body())
        self.answer({"kept": True}, HTTPStatus.CREATED)

    def do_DELETE(self) -> None:
        self.inbox.forget(self.path)
        self.answer({"forgotten": True})


if __name__ == "__main__":
    serve(Site.from_environment().port("inbox"), _Handler)
