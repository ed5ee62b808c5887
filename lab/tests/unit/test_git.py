"""What the lab's Gitea is told: to stay on this machine, to tell Argo CD of pushes, to keep all."""

from __future__ import annotations

import json
from configparser import ConfigParser
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests

from lab import gitea
from lab.daemons.git import settings
from lab.gitea import GiteaError, administrator, furnish
from lab.site import Site
from lab.toolchain import Toolchain

SITE = Site(home=Path("/lab"), port_base=21000)


def told(text: str) -> ConfigParser:
    parsed = ConfigParser()
    parsed.read_string(f"[DEFAULT]\n{text}")
    return parsed


def test_it_listens_on_the_loopback_address_at_a_port_of_its_own() -> None:
    server = told(settings(SITE, Path("/module")))["server"]
    assert (server["HTTP_ADDR"], server["HTTP_PORT"]) == ("127.0.0.1", "21002")
    assert server["ROOT_URL"] == "http://127.0.0.1:21002/"
    assert server["OFFLINE_MODE"] == "true"


def test_it_tells_of_pushes_on_this_machine_only() -> None:
    """Both names lead to the lab's load balancers."""
    assert told(settings(SITE, Path("/module")))["security"]["ALLOWED_HOST_LIST"] == (
        "loopback, argocd.dev.acme.example, argocd.acme.example"
    )


def test_all_that_it_writes_is_in_its_folder() -> None:
    parsed = told(settings(SITE, Path("/module")))
    assert parsed["server"]["WORK_PATH"] == "/lab/git"
    assert parsed["repository"]["ROOT"] == "/lab/git/repositories"
    assert SITE.git_repositories == Path("/lab/git/repositories")


def test_the_texts_that_it_reads_are_those_of_the_module() -> None:
    assert told(settings(SITE, Path("/module")))["server"]["STATIC_ROOT_PATH"] == "/module"


def test_every_lab_has_secrets_of_its_own() -> None:
    first, second = (told(settings(SITE, Path("/module")))["security"] for _ in range(2))
    for name in ("SECRET_KEY", "INTERNAL_TOKEN"):
        assert first[name] != second[name]
        assert len(first[name]) == 64


class Host:
    """Gitea's API, as far as an empty host is furnished by it."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.hooks: list[dict[str, Any]] = []
        self.created: list[str] = []
        self.broken = False

    def ask(self, method: str, url: str, path: str, **words: Any) -> requests.Response:
        assert url == "http://127.0.0.1:21002"
        assert words["headers"] == {"Authorization": "token t0ken"}
        if self.broken:
            raise GiteaError(path, "database is locked", HTTPStatus.INTERNAL_SERVER_ERROR)
        answer = requests.Response()
        answer.status_code = HTTPStatus.OK
        answer._content = b"[]"
        if path.endswith("/hooks"):
            if method == "POST":
                self.hooks.append(words["json"])
            answer._content = json.dumps(self.hooks).encode()
        elif method == "GET" and path not in self.there:
            raise GiteaError(path, "not found", HTTPStatus.NOT_FOUND)
        elif method == "POST":
            self.created.append(path)
            self.there |= {"/orgs/acme", "/repos/acme/gitops"} if "repos" in path else set()
        return answer


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(gitea, "_ask", host.ask)
    return host


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path, port_base=21000)
    site.git_token.parent.mkdir()
    site.git_token.write_text("t0ken")
    return site


def test_a_new_host_gets_the_repository_and_tells_every_argo_cd_of_pushes(
    host: Host, site: Site
) -> None:
    furnish(site, Toolchain())
    assert host.created == ["/orgs", "/orgs/acme/repos"]
    assert [hook["config"]["url"] for hook in host.hooks] == [
        "https://argocd.acme.example/api/webhook",
        "https://argocd.dev.acme.example/api/webhook",
    ]
    assert {(hook["active"], *hook["events"]) for hook in host.hooks} == {(True, "push")}


def test_what_is_there_is_kept_and_nothing_is_told_twice(host: Host, site: Site) -> None:
    furnish(site, Toolchain())
    made = list(host.created)
    furnish(site, Toolchain())
    assert (host.created, len(host.hooks)) == (made, 2)


def test_a_host_in_trouble_is_not_taken_for_an_empty_one(host: Host, site: Site) -> None:
    host.broken = True
    with pytest.raises(GiteaError, match="database is locked"):
        administrator(site).has("/orgs/acme")
