"""The order in which the daemons of a lab start."""

from __future__ import annotations

import pytest

from lab.daemon import Daemon, NeedsError, start_order, title


def daemon(name: str, *needs: str) -> Daemon:
    return Daemon(name=name, command=("true",), ready=lambda: None, needs=frozenset(needs))


def names(groups: list[list[Daemon]]) -> list[list[str]]:
    return [[daemon.name for daemon in group] for group in groups]


def test_a_daemon_starts_after_everything_it_needs() -> None:
    groups = start_order(
        [daemon("scheduler", "apiserver"), daemon("apiserver", "etcd"), daemon("etcd")]
    )

    assert names(groups) == [["etcd"], ["apiserver"], ["scheduler"]]


def test_daemons_that_need_nothing_of_each_other_start_together() -> None:
    groups = start_order([daemon("aws"), daemon("git"), daemon("authenticator", "aws")])

    assert names(groups) == [["aws", "git"], ["authenticator"]]


def test_daemons_that_wait_for_each_other_are_refused_by_name() -> None:
    with pytest.raises(NeedsError, match="need each other: authenticator -> aws -> authenticator"):
        start_order([daemon("authenticator", "aws"), daemon("aws", "authenticator"), daemon("git")])


def test_a_need_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(NeedsError, match="authenticator needs asw, which does not exist"):
        start_order([daemon("authenticator", "asw")])


def test_the_same_daemon_of_two_clusters_has_two_titles_and_two_logs() -> None:
    dev, prod = (
        Daemon(name="etcd", environment=environment, command=("true",), ready=lambda: None)
        for environment in ("dev", "prod")
    )

    assert (dev.title, prod.title) == ("dev/etcd", title("etcd", "prod"))
    assert (dev.log_name, prod.log_name) == ("dev-etcd.log", "prod-etcd.log")


def test_a_proxy_of_the_user_stands_between_no_two_daemons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")

    assert daemon("git").environ()["NO_PROXY"] == "127.0.0.1"
