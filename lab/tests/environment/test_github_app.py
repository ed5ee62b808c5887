"""Argo CD reads the GitOps repository as a GitHub App, with a token that GitHub gave the App."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lab.http_server import as_json
from lab.site import HOST
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty

APP, INSTALLATION = 4711, 815
SERVICE = "tv-api"


@dataclass
class GitHub:
    """As much of GitHub's API as an App needs to get a token."""

    token: str
    """What an App gets that proves who it is: the Git host knows it."""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    given: list[str] = field(default_factory=list)
    """The Apps that proved who they are and got a token."""
    refused: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def private_key(self) -> str:
        form = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return self.key.private_bytes(*form).decode()

    def token_for(self, path: str, authorization: str) -> str | None:
        """A token for an App that signed its request with its key; otherwise None."""
        try:
            claims = jwt.decode(
                authorization.removeprefix("Bearer "), self.key.public_key(), algorithms=["RS256"]
            )
        except jwt.InvalidTokenError as error:
            self.refused.append(f"{path}: {error}")
            return None
        if path != f"/app/installations/{INSTALLATION}/access_tokens":
            self.refused.append(f"{path}: no such installation")
            return None
        self.given.append(str(claims["iss"]))
        return self.token

    def answer(self, request: Request) -> Response:
        token = self.token_for(request.path, request.headers.get("Authorization", ""))
        if token is None:
            return as_json({"message": "refused"}, HTTPStatus.UNAUTHORIZED)
        until = datetime.now(UTC) + timedelta(hours=1)
        expires = until.isoformat(timespec="seconds").replace("+00:00", "Z")
        return as_json({"token": token, "expires_at": expires}, HTTPStatus.CREATED)


@pytest.fixture
def github(lab: Lab) -> Iterator[GitHub]:
    github = GitHub(lab.site.git_token.read_text())

    server = make_server(HOST, 0, Request.application(github.answer), threaded=True)
    github.address = f"http://{HOST}:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield github
    server.shutdown()


@pytest.fixture
def prod_as_an_app(lab: Lab, github: GitHub) -> Iterator[None]:
    """prod, whose Argo CD reads the GitOps repository as the App; as before afterwards."""
    app = {"id": APP, "installation": INSTALLATION, "api": github.address}
    committed = {"url": lab.site.gitops_url, "githubApp": app}
    lab.program.trying["prod"] = {
        "platform:gitops": committed,
        "platform:githubAppPrivateKey": github.private_key,
    }
    try:
        lab.program.read("up", "--yes", stack=lab.program.selected("prod"))
        yield
    finally:
        del lab.program.trying["prod"]
        lab.program.read("up", "--yes", stack=lab.program.selected("prod"))


@pytest.mark.usefixtures("prod_as_an_app")
def test_argo_cd_proves_who_it_is_and_reads_the_repository(lab: Lab, github: GitHub) -> None:
    asked = datetime.now(UTC)

    def missing() -> str:
        application = lab.argocd("prod").application(SERVICE, refresh=True)
        status = application["status"]
        problems = [condition["message"] for condition in status.get("conditions", [])]
        if problems or github.refused:
            return "; ".join(problems + github.refused)
        read = datetime.fromisoformat(status.get("reconciledAt", "1970-01-01T00:00:00Z"))
        return "" if github.given and read >= asked else f"a comparison after {asked}"

    wait_until_empty("a comparison with the App's token", missing, every=2)
    assert set(github.given) == {str(APP)}
