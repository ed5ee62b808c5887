"""Git over HTTP: bare repositories that anybody may read, and push to with the lab's token.

Every push is told to each environment's Argo CD, as GitHub would.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lab.http_server import JsonHandler, serve
from lab.part import Part
from lab.readiness import http_ok
from lab.site import CHECKOUT, Site
from lab.state import write_atomically

USER = "lab"
BRANCH = "main"
GITOPS = "gitops.git"


def part(site: Site) -> Part:
    return Part(
        name="git",
        port=site.port("git"),
        prepare=lambda: prepare(site),
        ready=http_ok(f"{site.gitops_url}/info/refs?service=git-upload-pack"),
        command=(sys.executable, "-m", "lab.daemons.git"),
    )


def prepare(site: Site) -> None:
    """The token, and the GitOps repository, empty, if they are not there yet."""
    if not site.git_token.exists():
        write_atomically(site.git_token, secrets.token_hex(20), mode=0o600)
    create_repository(site, GITOPS)


def create_repository(site: Site, name: str) -> Path:
    """A bare repository served as `/<name>`, or the one that is there; returns its folder."""
    folder = site.git_repositories / name
    if not (folder / "HEAD").exists():
        subprocess.run(
            ["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(folder)],
            check=True,
        )
    start = f"PYTHONPATH={shlex.quote(str(CHECKOUT))} exec {shlex.quote(sys.executable)}"
    write_atomically(
        folder / "hooks" / "post-receive",
        f"#!/bin/sh\n{start} -m lab.push_webhook {shlex.quote(name)}\n",
        mode=0o755,
    )
    return folder


def may_push(authorization: str | None, token: str) -> bool:
    """Whether an Authorization header has the token as its password, as GitHub asks."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(given.partition(b":")[2], token.encode())


def is_push(path: str, query: str) -> bool:
    """Whether a request of Git's smart protocol is about pushing."""
    return path.endswith("/git-receive-pack") or "service=git-receive-pack" in query


def cgi_variables(
    site: Site, *, method: str, url: str, headers: Mapping[str, str], pusher: str | None
) -> dict[str, str]:
    """What `git http-backend` is told of a request."""
    parts = urlsplit(url)
    variables = {
        **os.environ,
        "GIT_PROJECT_ROOT": str(site.git_repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    return {**variables, "REMOTE_USER": pusher} if pusher else variables


class _Handler(JsonHandler):
    site = Site.from_environment()

    def do_GET(self) -> None:
        self._serve_git()

    def do_POST(self) -> None:
        self._serve_git()

    def _serve_git(self) -> None:
        body = self.body()
        target = urlsplit(self.path)
        pusher = None
        if is_push(target.path, target.query):
            token = self.site.git_token.read_text(encoding="ascii")
            if not may_push(self.headers.get("Authorization"), token):
                self._ask_who()
                return
            pusher = USER
        variables = cgi_variables(
            self.site, method=self.command, url=self.path, headers=dict(self.headers), pusher=pusher
        )
        variables["CONTENT_LENGTH"] = str(len(body))
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=variables, capture_output=True, check=False
        )
        if done.stderr:
            print(done.stderr.decode(errors="replace"), flush=True)
        self._relay(done.stdout)

    def _relay(self, output: bytes) -> None:
        """Sends on what a CGI program wrote."""
        head, _, content = output.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode(errors="replace").splitlines()]
        headers = {name.strip(): value.strip() for name, _, value in lines}
        status = int(headers.pop("Status", "200").split()[0])
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _ask_who(self) -> None:
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="lab"')
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    serve(Site.from_environment().port("git"), _Handler)
