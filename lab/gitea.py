"""What people ask of the lab's Gitea: its API, and Git over HTTP."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests

from lab.daemons import git
from lab.names import argocd_url
from lab.site import Site
from lab.state import write_atomically
from lab.toolchain import Toolchain

USER = "lab"
"""Looks after the whole host; with its token `pulumi up` and the pipelines push."""
_SCOPES = ("write:repository", "write:issue", "write:organization", "write:user")

_session = requests.Session()
_session.trust_env = False  # a proxy of the user's has nothing to do with the loopback address


class GiteaError(Exception):
    """Gitea refused a request, or a command."""

    def __init__(self, what: str, said: str, status: int = 0) -> None:
        super().__init__(f"{what}: {said.strip()}")
        self.status = status


@dataclass(frozen=True)
class Account:
    """Somebody of the Git host, and what they prove it with."""

    url: str
    name: str
    token: str

    def call(self, method: str, path: str, **content: object) -> Any:
        """What the API answers; `path` is below `/api/v1`. Raises GiteaError."""
        headers = {"Authorization": f"token {self.token}"} if self.token else {}
        answer = _ask(method, self.url, path, json=content or None, headers=headers)
        return answer.json() if answer.content else None

    def has(self, path: str) -> bool:
        """Whether there is something at `path`. Raises GiteaError."""
        try:
            self.call("GET", path)
        except GiteaError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    def address(self, repository: str) -> str:
        """The URL with which Git reads and pushes `owner/name` as this person."""
        return f"{self.url.replace('://', f'://{self.name}:{self.token}@')}/{repository}.git"


def administrator(site: Site) -> Account:
    """Who looks after the host of a furnished lab."""
    return Account(site.url("git"), USER, site.git_token.read_text(encoding="ascii"))


def create_person(host: Account, name: str) -> Account:
    """A new person, with an access token; `host` looks after the host. Raises GiteaError."""
    password = secrets.token_hex(16)
    host.call(
        "POST",
        "/admin/users",
        username=name,
        full_name=name.title(),
        email=f"{name}@acme.example",
        password=password,
        must_change_password=False,
    )
    content = {"name": "lab", "scopes": _SCOPES}
    answer = _ask("POST", host.url, f"/users/{name}/tokens", json=content, auth=(name, password))
    return Account(host.url, name, str(answer.json()["sha1"]))


def furnish(site: Site, tools: Toolchain) -> None:
    """What a new Gitea lacks: the lab's token, and the GitOps repository, empty.

    Every environment's Argo CD is told of each push. Anybody may read. What is there is kept.

    Raises:
        GiteaError: Gitea refused something.
    """
    if not site.git_token.exists():
        write_atomically(site.git_token, _first_token(site, tools), mode=0o600)
    host = administrator(site)
    owner, _, name = urlsplit(site.gitops_url).path.strip("/").removesuffix(".git").partition("/")
    if not host.has(f"/orgs/{owner}"):
        host.call("POST", "/orgs", username=owner)
    if not host.has(f"/repos/{owner}/{name}"):
        host.call("POST", f"/orgs/{owner}/repos", name=name)
    hooks = f"/repos/{owner}/{name}/hooks"
    told = {hook["config"]["url"] for hook in host.call("GET", hooks)}
    listeners = {f"{argocd_url(site, each)}/api/webhook" for each in site.environments}
    for listener in sorted(listeners - told):
        config = {"url": listener, "content_type": "json"}
        host.call("POST", hooks, type="gitea", config=config, events=["push"], active=True)


def _first_token(site: Site, tools: Toolchain) -> str:
    """A token for the lab's own account, which only Gitea's command line can create."""
    if not Account(site.url("git"), "", "").has(f"/users/{USER}"):
        words = ("--username", USER, "--email", f"{USER}@acme.example")
        password = ("--password", secrets.token_hex(16))
        _administer(site, tools, "create", "--admin", *words, *password)
    named = ("--username", USER, "--token-name", secrets.token_hex(4))
    return _administer(site, tools, "generate-access-token", *named, "--scopes", "all", "--raw")


def _administer(site: Site, tools: Toolchain, *words: str) -> str:
    done = subprocess.run(
        [*git.command(site, tools), "admin", "user", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GiteaError(f"gitea admin user {words[0]}", done.stdout + done.stderr)
    return done.stdout.strip()


def _ask(method: str, url: str, path: str, **words: Any) -> requests.Response:
    answer = _session.request(method, f"{url}/api/v1{path}", timeout=60, **words)
    if not answer.ok:
        what = f"{method} {path} answers {answer.status_code}"
        raise GiteaError(what, answer.text, answer.status_code)
    return answer
