"""Which pull request is a release's own, as Gitea tells it, and what its text says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from release.deployed import Place
from release.errors import Failure
from release.git import Person
from release.plan import PROMOTION, Change, Plan, message
from release.preparation import Prepared
from release.proposal import text
from release.pullrequests import Host, PullRequest

HOUSE = "http://git.acme.example"
BRANCH = "release/prod-promotion-tv-api-0123456789"


class Pages:
    """Gitea's answers: two pull requests a page."""

    def __init__(self, *pulls: dict[str, Any]) -> None:
        self.pulls = pulls
        self.asked: list[str] = []

    def answer(self, method: str, address: str, *_: Any) -> tuple[int, Any]:
        if address.endswith("/version"):
            return 200, {"version": "1.27.3"}
        self.asked.append(f"{method} {address}")
        page = int(address.rpartition("=")[2])
        return 200, list(self.pulls[2 * page - 2 : 2 * page])


def http(status: int, text: str) -> bytes:
    """An answer of a server."""
    return f"HTTP/1.1 {status} So\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


@contextmanager
def listening(answers: list[bytes]) -> Iterator[str]:
    """A server that gives these answers, one a connection; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


def pull(number: int, head: str = BRANCH, base: str = "main", fork: int = 1) -> dict[str, Any]:
    return {
        "number": number,
        "html_url": f"{HOUSE}/acme/gitops/pulls/{number}",
        "state": "open",
        "head": {"ref": head, "repo_id": fork},
        "base": {"ref": base, "repo_id": 1},
    }


def found(monkeypatch: pytest.MonkeyPatch, *pulls: dict[str, Any]) -> PullRequest | None:
    monkeypatch.setattr(Host, "_request", Pages(*pulls).answer)
    return Host(f"{HOUSE}/acme/gitops.git", {"GITEA_TOKEN": "t0ken"}).find(BRANCH, "main")


def test_the_one_of_the_branch_is_found_on_a_later_page(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [pull(number, head=f"other-{number}") for number in range(1, 5)]
    there = found(monkeypatch, *others, pull(5))
    assert there == PullRequest(5, "http://git.acme.example/acme/gitops/pulls/5")


@pytest.mark.parametrize(
    "other",
    [
        pull(1, fork=2),
        pull(1, base="release"),
        pull(1, head=f"{BRANCH}-2"),
        {"number": 1, "head": None},
    ],
    ids=["a fork's", "for another branch", "of another branch", "of nothing that is known"],
)
def test_one_that_is_not_ours_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    assert found(monkeypatch, other) is None


def test_only_open_ones_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Pages()
    monkeypatch.setattr(Host, "_request", answers.answer)
    host = Host(f"{HOUSE}/acme/gitops.git", {"GITEA_TOKEN": "t0ken"})
    assert host.find(BRANCH, "feature/x") is None
    assert answers.asked == [
        "GET http://git.acme.example/api/v1/repos/acme/gitops/pulls"
        "?state=open&base_branch=feature%2Fx&page=1"
    ]


@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_host_that_lets_in_nobody_unknown_is_one_of_its_kind(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def closed(_: Host, method: str, address: str, content: Any, token: str) -> tuple[int, Any]:
        if not token:
            return status, {"message": "Only signed in user is allowed to call APIs."}
        return 200, [pull(1)]

    monkeypatch.setattr(Host, "_request", closed)
    assert Host(f"{HOUSE}/acme/gitops", {"GITEA_TOKEN": "t"}).find(BRANCH, "main") is not None


def test_a_host_that_does_not_answer_is_not_said_to_answer_wrongly() -> None:
    with pytest.raises(Failure, match=r"127\.0\.0\.1:1 does not answer: .*refused"):
        Host("http://127.0.0.1:1/acme/gitops", {"GITEA_TOKEN": "t"})


def test_on_github_too_the_one_of_the_branch_is_taken_and_not_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answers(_: Host, method: str, address: str, *__: Any) -> tuple[int, Any]:
        head = {"ref": BRANCH, "repo": {"id": 7}}
        ours = pull(2) | {"head": head, "base": {"ref": "main", "repo": {"id": 7}}}
        deleted = ours | {"number": 1, "head": head | {"repo": None}}
        return 200, [pull(3, head="other"), deleted, ours]

    monkeypatch.setattr(Host, "_request", answers)
    host = Host("git@github.com:acme/gitops.git", {"GH_TOKEN": "t"})
    there = host.find(BRANCH, "main")
    assert (there and there.number) == 2


@pytest.mark.parametrize("token", ["s3cret\nx", "s3crét", "s3 cret", "s3cret\x00"])
def test_what_cannot_be_a_token_is_named_by_its_variable_and_not_shown(token: str) -> None:
    with pytest.raises(Failure) as told:
        Host("https://github.com/acme/gitops", {"GITHUB_TOKEN": token})
    assert told.value.message == "what GITHUB_TOKEN has is no token"


def test_the_end_of_a_line_behind_a_token_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = []

    def answers(_: Host, method: str, address: str, content: Any, token: str) -> tuple[int, Any]:
        tokens.append(token)
        return 200, []

    monkeypatch.setattr(Host, "_request", answers)
    Host("https://github.com/acme/gitops", {"GH_TOKEN": " ", "GITHUB_TOKEN": "t0ken\r\n"}).find(
        "b", "m"
    )
    assert tokens == ["t0ken"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            b"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n{",
            "does not answer: IncompleteRead",
        ),
        (b"HTTP/1.1 999 \x1b[2J\r\n\r\n", "refuses the pull request (999): it said nothing"),
        (b"SSH-2.0-x\r\n\r\n", "does not answer: SSH-2.0-x"),
        (b"", "does not answer: Remote end closed connection"),
        (http(201, "<html>"), "refuses the pull request (201): it said nothing"),
        (http(201, "[" * 99_999), "refuses the pull request (201): it said nothing"),
        (http(201, '{"number": 1e999, "html_url": "x"}'), "answers what is no pull request"),
        (http(201, '{"html_url": "x"}'), "answers what is no pull request"),
        (http(429, '{"message": "slow \\u001b[2J down"}'), "(429): slow \\x1b[2J down"),
        (http(301, "moved"), "refuses the pull request (301): it said nothing"),
        (http(422, '{"errors": 5}'), "(422): 5"),
        (http(422, '{"errors": "no head"}'), "(422): no head"),
        (
            http(422, '{"message": "no", "errors": [{"message": "a"}, {"b": 1}]}'),
            "(422): no; a; {'b'",
        ),
    ],
)
def test_whatever_a_host_answers_is_told_in_a_sentence(answer: bytes, told: str) -> None:
    with listening([http(200, '{"version": "1"}'), http(200, "[]"), answer]) as address:
        host = Host(f"{address}/acme/gitops", {"GITEA_TOKEN": "t"})
        with pytest.raises(Failure) as failure:
            host.open(BRANCH, "main", "title", "text")
    assert told in failure.value.message
    assert "\x1b" not in failure.value.message


def test_the_address_of_a_pull_request_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    there = found(monkeypatch, pull(1) | {"html_url": "http://x\nmerged\x1b[2J"})
    assert there == PullRequest(1, "http://x merged\\x1b[2J")


GITHUB_TAKES = 65_536


def proposal(services: int, difference: int = 40) -> str:
    """The text of a promotion of so many services, each with so many lines of difference."""
    changes = [
        Change(
            place=Place("prod", f"team/service-{number:03}"),
            packaging="kustomize",
            path="version/kustomization.yaml",
            previous="v20261101-1111111",
            version="v20261102-2222222",
            digest=f"sha256:{number:064}",
            subject="Fix what was slow",
        )
        for number in range(services)
    ]
    plan = Plan("prod", PROMOTION, changes)
    shown = [f"+ line {number}" for number in range(services * difference)]
    notes = [f"service-{n}: a note" for n in range(services)]
    prepared = Prepared(plan, {}, shown=shown, notes=notes)
    return text(prepared, message(plan, Person("Ada", "ada@acme.example")))


@pytest.mark.parametrize("services", [1, 150, 500])
def test_the_text_of_a_promotion_is_one_that_github_takes(services: int) -> None:
    assert len(proposal(services, difference=400)) < GITHUB_TAKES


def test_a_long_difference_is_cut_and_the_trailers_stay() -> None:
    told = proposal(150)
    assert "Cut here." in told
    assert told.count("Release-Service: team/service-") == 150
    assert "| team/service-099 | v20261101-1111111 | v20261102-2222222 |" in told
    assert "| and 50 more | | |" in told


def test_where_the_trailers_have_no_room_the_text_says_how_to_merge() -> None:
    told = proposal(500)
    assert "Release-Service:" not in told
    assert "Merge with a merge commit or by rebase" in told
