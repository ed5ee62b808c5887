"""moto as a server, with what it lacks: `python -m lab.aws_server`.

A journal keeps its state. It checks and answers presigned calls of STS. The registry reports pushed
images to `POST /lab/registry-events`, for ECR.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.test import EnvironBuilder

from lab import presigned
from lab.aws_account import create_roles, create_zones, write_credentials
from lab.aws_api.backend import Backend
from lab.aws_api.callers import session_of
from lab.aws_api.cbor import Translated
from lab.aws_api.frontend import Frontend
from lab.aws_journal import JournaledApp, WsgiApp
from lab.daemons import aws
from lab.ecr_events import pushed_tags, record_pushes
from lab.site import CHECKOUT, HOST, Site
from settings.environment import Settings
from settings.loading import load_files

RENEWAL_SECONDS = 3600
"""How often the platform's credentials are renewed; they are valid for twelve hours."""


class _App:
    """The lab's own routes; every other request goes to AWS."""

    def __init__(self, site: Site, settings: Settings, aws: WsgiApp) -> None:
        self._site = site
        self._settings = settings
        self._aws = aws
        self.ready = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case aws.READY:
                status = HTTPStatus.OK if self.ready else HTTPStatus.SERVICE_UNAVAILABLE
            case "/lab/registry-events":
                body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                record_pushes(self._site, self._settings, pushed_tags(json.loads(body)))
                status = HTTPStatus.OK
            case "/" if presigned.SIGNATURE in environ.get("QUERY_STRING", ""):
                return _respond(start_response, *caller_identity(environ))
            case _:
                return self._aws(environ, start_response)
        return _respond(start_response, status, {"status": status.phrase})


def _respond(start_response: Any, status: HTTPStatus, content: object) -> Iterable[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
    return [json.dumps(content).encode()]


def caller_identity(environ: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
    """STS's answer to a presigned GetCallerIdentity: its caller, or why it is refused."""
    query = environ["QUERY_STRING"]
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    }
    said = presigned.claims(query)
    session = session_of(said.get("X-Amz-Credential", "").partition("/")[0])
    if session is None or said.get("X-Amz-Security-Token") != session.session_token:
        return _refused("InvalidClientTokenId", "The security token included is invalid")
    if session.expiration < datetime.now(UTC).replace(tzinfo=None):
        return _refused("ExpiredToken", "The security token included is expired")
    try:
        presigned.verify(query, headers, session.secret_access_key)
    except presigned.BadSignatureError as error:
        return _refused("SignatureDoesNotMatch", str(error))
    identity = {"Arn": session.arn, "UserId": session.user_id, "Account": session.account_id}
    return HTTPStatus.OK, {"GetCallerIdentityResponse": {"GetCallerIdentityResult": identity}}


def _refused(code: str, message: str) -> tuple[HTTPStatus, dict[str, Any]]:
    return HTTPStatus.FORBIDDEN, {"Error": {"Code": code, "Message": message}}


class _Handler(MotoRequestHandler):
    """Logs requests without their queries, which may contain tokens."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = self.path.partition("?")[0]
        print(f"{self.log_date_time_string()} {self.command} {path} {code}", flush=True)


def journal(site: Site) -> Path:
    return site.home / "aws" / "journal.jsonl"


def main() -> None:
    site = Site.from_environment()
    settings = load_files(site.environments[0], CHECKOUT)
    moto = DomainDispatcherApplication(create_backend_app)
    remembered = JournaledApp(Backend(moto, site), journal(site))
    began = time.monotonic()
    count = remembered.replay(EnvironBuilder(base_url=site.url("aws")).get_environ())
    print(f"{count} requests replayed in {time.monotonic() - began:.1f} s", flush=True)
    app = _App(site, settings, Translated(Frontend(remembered, site)))
    server = make_server(HOST, site.port("aws"), app, threaded=True, request_handler=_Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    create_roles(site, settings)
    create_zones(site, settings)
    write_credentials(site, settings)
    app.ready = True
    while serving.is_alive():
        serving.join(RENEWAL_SECONDS)
        write_credentials(site, settings)


if __name__ == "__main__":
    main()
