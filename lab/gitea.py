"""A Gitea that runs for a while, and what people ask of it: its API, and Git over HTTP."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from lab.parts import gitea
from lab.site import Site
from lab.toolchain import Toolchain
from lab.waiting import wait_until_empty
from lab.watched import Watched

OWNER = "owner"
"""Looks after the whole host; the only one whom Gitea's command line creates."""
GRACE = 15.0
TOKEN_SCOPES = ("write:repository", "write:issue", "write:organization", "write:user")


class GiteaError(Exception):
    """Gitea refused a request, or did not start."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Account:
    """Somebody of the Git host, and what they prove it with."""

    url: str
    name: str
    token: str

    def call(self, method: str, path: str, **content: object) -> Any:
        """What the API answers; `path` is below `/api/v1`. Raises GiteaError."""
        answer = _session().request(
            method,
            f"{self.url}/api/v1{path}",
            json=content or None,
            headers={"Authorization": f"token {self.token}"},
            timeout=60,
        )
        if not answer.ok:
            raise GiteaError(
                f"{self.name}: {method} {path} answers {answer.status_code}: {answer.text}",
                answer.status_code,
            )
        return answer.json() if answer.content else None

    def address(self, repository: str) -> str:
        """The URL with which Git reads and pushes `owner/name` as this person."""
        return f"{self.url.replace('://', f'://{self.name}:{self.token}@')}/{repository}.git"


@dataclass(frozen=True)
class Gitea:
    """The Git host: where it is, and who looks after it."""

    url: str
    owner: Account

    def create(self, name: str) -> Account:
        """A new person, with an access token. Raises GiteaError."""
        password = secrets.token_hex(16)
        self.owner.call(
            "POST",
            "/admin/users",
            username=name,
            full_name=name.title(),
            email=f"{name}@acme.example",
            password=password,
            must_change_password=False,
        )
        return Account(self.url, name, _token(self.url, name, password, TOKEN_SCOPES))


@contextmanager
def running(site: Site, tools: Toolchain) -> Iterator[Gitea]:
    """Starts Gitea in `site`'s home and at its port, and stops it at the end.

    Raises:
        GiteaError: it ended instead; with the end of its log.
        StillMissingError: it was not ready in time.
        MissingToolError: it is not built.
    """
    part = gitea.part(site, tools)
    watched = Watched(part.title, log=site.logs() / part.log_name, port=part.port)
    part.prepare()
    watched.start(part.command, variables=part.environ(), folder=site.home)

    def missing() -> str:
        if how := watched.ending():
            raise GiteaError(f"Gitea {watched.lose(how)}")
        return "" if watched.ask(part.ready) else watched.status.note

    try:
        wait_until_empty("the start of Gitea", missing, seconds=part.seconds, every=0.05)
        yield Gitea(site.url("gitea"), _owner(site, tools))
    finally:
        watched.end(GRACE)


def _owner(site: Site, tools: Toolchain) -> Account:
    """Creates the first person of a new Gitea, who may create the others."""
    password = secrets.token_hex(16)
    words = ("--username", OWNER, "--password", password, "--email", f"{OWNER}@acme.example")
    done = subprocess.run(
        [*gitea.command(site, tools), "admin", "user", "create", "--admin", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GiteaError(f"Gitea does not create {OWNER}: {done.stdout}{done.stderr}")
    url = site.url("gitea")
    return Account(url, OWNER, _token(url, OWNER, password, ("all",)))


def _token(url: str, name: str, password: str, scopes: tuple[str, ...]) -> str:
    answer = _session().post(
        f"{url}/api/v1/users/{name}/tokens",
        json={"name": "lab", "scopes": scopes},
        auth=(name, password),
        timeout=60,
    )
    if not answer.ok:
        raise GiteaError(f"no token for {name}: {answer.text}", answer.status_code)
    return str(answer.json()["sha1"])


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy of the user's has nothing to do with the loopback address
    return session
