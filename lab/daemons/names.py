"""The way to a name: an HTTP proxy that asks Route 53 where the name leads.

It stands for DNS and the internet: whoever uses it (`curl --proxy`) reaches `https://<name>` of the
lab's zone, and nothing else.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import requests

from lab import names
from lab.daemon import Daemon
from lab.readiness import listening
from lab.site import HOST, Site

PATIENCE = 120
_PIECE = 65536


def daemon(site: Site) -> Daemon:
    return Daemon(
        name="names",
        port=site.port("names"),
        ready=listening(site.port("names")),
        command=(sys.executable, "-m", "lab.daemons.names"),
    )


class Proxy(BaseHTTPRequestHandler):
    """One connection."""

    site: Site

    def do_CONNECT(self) -> None:
        """Join the caller with the load balancer's listener for HTTPS."""
        port = self._port(self.path.partition(":")[0], "load-balancer-tls")
        if port is None:
            return
        with socket.create_connection((HOST, port), timeout=PATIENCE) as other:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            join(self.connection, other)

    def do_GET(self) -> None:
        """Ask the load balancer's listener for HTTP."""
        address = urlsplit(self.path)
        port = self._port(address.hostname or "", "load-balancer")
        if port is None:
            return
        answer = requests.get(
            f"http://{HOST}:{port}{address.path or '/'}",
            headers={"Host": address.hostname or ""},
            timeout=PATIENCE,
            allow_redirects=False,
        )
        self.send_response(answer.status_code)
        self.send_header("Location", answer.headers.get("Location", ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _port(self, host: str, listener: str) -> int | None:
        environment = names.environment_of(self.site, host)
        if environment is None:
            self.send_error(HTTPStatus.BAD_GATEWAY, f"no name {host} in Route 53")
            return None
        return self.site.port(listener, environment)


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either says, until both have ended."""

    def passing(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(_PIECE):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the other side has gone

    back = threading.Thread(target=passing, args=(other, one))
    back.start()
    passing(one, other)
    back.join()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Proxy.site = Site.from_environment()
    server = ThreadingHTTPServer((HOST, Proxy.site.port("names")), Proxy)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
