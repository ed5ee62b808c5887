"""Which pull request is a release's own, as Gitea tells it, and what its text says."""

from __future__ import annotations

from typing import Any

import pytest

from release.deployed import Place
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
