"""What the lab's own HTTP servers share: threads, the loopback address, JSON, quiet clients."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.site import HOST


class JsonHandler(BaseHTTPRequestHandler):
    """A handler that reads and answers JSON."""

    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        """The request's body, whatever way its length is told."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, content: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Sends `content` as JSON."""
        self.send(json.dumps(content).encode(), "application/json", status)

    def send(
        self, content: bytes, kind: str = "text/plain", status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        print(f"{self.log_date_time_string()} {format % args}", flush=True)

    def _chunk(self) -> bytes:
        """The next chunk of a body; empty at its end."""
        size = int(self.rfile.readline().split(b";")[0], 16)
        content = self.rfile.read(size)
        self.rfile.readline()
        return content


def serve(port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
    """Serves on `port` of the loopback address until SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = ThreadingHTTPServer((HOST, port), handler)
    server.daemon_threads = True
    print(f"listening on {HOST}:{port}", flush=True)
    server.serve_forever()
