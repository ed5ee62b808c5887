"""Git over HTTP: bare repositories. Reading needs no credentials, a push needs the lab's token.

Every push is reported to the Argo CD of each environment, as GitHub does by webhook.
"""

from __future__ import annotations

import hmac
import os
import secrets
import shlex
import subprocess
import sys
from functools import partial
from http import HTTPStatus
from pathlib import Path

from werkzeug.wrappers import Request, Response

from lab.daemon import Daemon
from lab.http_server import serve
from lab.readiness import http_ok
from lab.site import CHECKOUT, HOST, Site
from lab.state import write_atomically

USER = "lab"
BRANCH = "main"
GITOPS = "gitops.git"


def daemon(site: Site) -> Daemon:
    return Daemon(
        name="git",
        port=site.port("git"),
        prepare=lambda: prepare(site),
        ready=http_ok(f"{site.gitops_url}/info/refs?service=git-upload-pack"),
        command=(sys.executable, "-m", "lab.daemons.git"),
    )


def prepare(site: Site) -> None:
    """Create the token and an empty GitOps repository, unless they exist."""
    if not site.git_token.exists():
        write_atomically(site.git_token, secrets.token_hex(20), mode=0o600)
    create_repository(site, GITOPS)


def create_repository(site: Site, name: str) -> Path:
    """Create the bare repository that is served as `/<name>`, unless it exists; its folder."""
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


def may_push(request: Request, token: str) -> bool:
    """Whether the request has the token as its password, under any user name, as at GitHub."""
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    return hmac.compare_digest((given.password or "").encode(), token.encode())


def is_push(request: Request) -> bool:
    """Whether a request of Git's smart protocol belongs to a push."""
    return "git-receive-pack" in (request.path.rpartition("/")[2], request.args.get("service"))


def cgi_variables(site: Site, request: Request, *, pusher: str | None) -> dict[str, str]:
    """The environment in which `git http-backend` serves a request."""
    variables = {
        **os.environ,
        "GIT_PROJECT_ROOT": str(site.git_repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string.decode(),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.get_data())),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": HOST,
    }
    return {**variables, "REMOTE_USER": pusher} if pusher else variables


def answer(site: Site, request: Request) -> Response:
    """Answer one request of Git."""
    pusher = None
    if is_push(request):
        if not may_push(request, site.git_token.read_text(encoding="ascii")):
            return Response(
                status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="lab"'}
            )
        pusher = USER
    done = subprocess.run(
        ["git", "http-backend"],
        input=request.get_data(),
        env=cgi_variables(site, request, pusher=pusher),
        capture_output=True,
        check=False,
    )
    if done.stderr:
        print(done.stderr.decode(errors="replace"), flush=True)
    return _from_cgi(done.stdout)


def _from_cgi(output: bytes) -> Response:
    """The response that a CGI program wrote."""
    head, _, content = output.partition(b"\r\n\r\n")
    lines = [line.partition(":") for line in head.decode(errors="replace").splitlines()]
    headers = {name.strip(): value.strip() for name, _, value in lines}
    return Response(content, headers.pop("Status", "200 OK"), headers)


if __name__ == "__main__":
    here = Site.from_environment()
    serve(here.port("git"), partial(answer, here))
