"""The order in which the parts of a lab start."""

from __future__ import annotations

import pytest

from lab.part import NeedsError, Part, title, waves


def part(name: str, *needs: str) -> Part:
    return Part(name=name, command=("true",), ready=lambda: None, needs=frozenset(needs))


def names(groups: list[list[Part]]) -> list[list[str]]:
    return [[part.name for part in group] for group in groups]


def test_a_part_starts_after_everything_it_needs() -> None:
    groups = waves([part("scheduler", "apiserver"), part("apiserver", "etcd"), part("etcd")])

    assert names(groups) == [["etcd"], ["apiserver"], ["scheduler"]]


def test_parts_that_need_nothing_of_each_other_start_together() -> None:
    groups = waves([part("aws"), part("git"), part("door", "aws")])

    assert names(groups) == [["aws", "git"], ["door"]]


def test_parts_that_wait_for_each_other_are_refused_by_name() -> None:
    with pytest.raises(NeedsError, match="door, aws wait for each other"):
        waves([part("door", "aws"), part("aws", "door"), part("git")])


def test_a_need_that_is_no_part_is_refused_by_name() -> None:
    with pytest.raises(NeedsError, match="door needs asw, which is no part"):
        waves([part("door", "asw")])


def test_the_same_part_of_two_clusters_has_two_titles_and_two_logs() -> None:
    dev, prod = (
        Part(name="etcd", environment=environment, command=("true",), ready=lambda: None)
        for environment in ("dev", "prod")
    )

    assert (dev.title, prod.title) == ("dev/etcd", title("etcd", "prod"))
    assert (dev.log_name, prod.log_name) == ("dev-etcd.log", "prod-etcd.log")


def test_a_proxy_of_the_user_stands_between_no_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")

    assert part("git").environ()["NO_PROXY"] == "127.0.0.1"
