"""Git over HTTP: who may push, what Git learns of a request, what Argo CD learns of a push."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from lab.daemons.git import cgi_variables, is_push, may_push
from lab.push_webhook import NOTHING, payload, updates
from lab.site import Site

SITE = Site(home=Path("/lab"), port_base=21000)
TOKEN = "0123456789"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def request(path: str, query: str = "", **headers: str) -> Request:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(EnvironBuilder(path=path, query_string=query, headers=named).get_environ())


@pytest.mark.parametrize(
    ("authorization", "allowed"),
    [
        (basic(f"lab:{TOKEN}"), True),
        (basic(f"lab:{TOKEN}x"), False),
        (basic("lab:"), False),
        (basic(f"x-access-token:{TOKEN}"), True),
        (basic(TOKEN), False),
        (f"Bearer {TOKEN}", False),
        ("Basic ***", False),
        ("", False),
    ],
)
def test_who_has_the_token_may_push_under_any_name(authorization: str, allowed: bool) -> None:
    assert may_push(request("/", Authorization=authorization), TOKEN) is allowed


def test_who_gives_no_token_may_not_push() -> None:
    assert not may_push(request("/"), TOKEN)


@pytest.mark.parametrize(
    ("path", "query", "push"),
    [
        ("/gitops.git/info/refs", "service=git-receive-pack", True),
        ("/gitops.git/git-receive-pack", "", True),
        ("/gitops.git/info/refs", "service=git-upload-pack", False),
        ("/gitops.git/git-upload-pack", "", False),
    ],
)
def test_pushes_are_told_from_reads(path: str, query: str, push: bool) -> None:
    assert is_push(request(path, query)) is push


def test_git_learns_who_pushes_and_in_which_encoding() -> None:
    push = request("/gitops.git/git-receive-pack", "a=b", Content_Encoding="gzip")

    pushed = cgi_variables(SITE, push, pusher="lab")
    read = cgi_variables(SITE, push, pusher=None)

    assert pushed["REMOTE_USER"] == "lab"
    assert pushed["HTTP_CONTENT_ENCODING"] == "gzip"
    assert (pushed["PATH_INFO"], pushed["QUERY_STRING"]) == ("/gitops.git/git-receive-pack", "a=b")
    assert "REMOTE_USER" not in read, "anonymous requests would be allowed to push"


def test_argo_cd_can_match_a_push_to_the_url_that_applications_name() -> None:
    body = payload(
        SITE,
        "gitops.git",
        before="1" * 40,
        after="2" * 40,
        ref="refs/heads/main",
        files=["b", "a"],
    )

    assert body["repository"]["html_url"] + ".git" == SITE.gitops_url
    assert body["ref"] == "refs/heads/main"
    assert (body["before"], body["after"]) == ("1" * 40, "2" * 40)
    assert body["commits"][0]["modified"] == ["a", "b"]


def test_tags_and_deleted_branches_are_no_news() -> None:
    moved = ("1" * 40, "2" * 40, "refs/heads/main")
    lines = [
        " ".join(moved),
        f"{NOTHING} {'3' * 40} refs/tags/v1",
        f"{'3' * 40} {NOTHING} refs/heads/gone",
    ]

    assert list(updates(lines)) == [moved]
