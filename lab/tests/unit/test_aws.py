"""The lab's AWS: a state that outlives moto, the roles of the stack files, ECR's view of pushes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.ecr import models as ecr
from moto.moto_api._internal import mock_random
from moto.sts.utils import random_session_token

from lab.aws_account import roles
from lab.aws_journal import JournaledApp, changes_something
from lab.ecr_events import pushed_tags
from settings.environment import Settings


def _now() -> datetime:
    """The time as moto sees it."""
    now: datetime = ecr.datetime.now(UTC)  # type: ignore[attr-defined]
    return now


class Vpcs:
    """A WSGI application like moto: ids by chance, times by the clock, all in memory."""

    def __init__(self) -> None:
        self.made: list[tuple[str, datetime]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        if b"CreateVpc" in body:
            chance = mock_random.get_random_hex(17) + random_session_token()
            self.made.append((chance, _now()))
        else:
            mock_random.get_random_hex(5)  # reading may use up chance, too
        start_response("200 OK", [])
        return [b"ok"]


def ask(app: JournaledApp, action: str) -> None:
    body = f"Action={action}&Version=2016-11-15".encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=x",
        "wsgi.input": io.BytesIO(body),
    }
    assert list(app(environ, lambda *_: None)) == [b"ok"]


def test_what_was_created_is_created_again_with_the_same_ids_and_times(tmp_path: Path) -> None:
    first, second = Vpcs(), Vpcs()
    before = JournaledApp(first, tmp_path / "journal")
    for action in ("CreateVpc", "DescribeVpcs", "CreateVpc"):
        ask(before, action)

    after = JournaledApp(second, tmp_path / "journal")

    assert after.replay({}) == 2, "reading was written down"
    assert second.made == first.made
    assert len({vpc for vpc, _ in first.made}) == 2


def test_new_ids_after_a_replay_differ_from_the_old_ones(tmp_path: Path) -> None:
    vpcs = Vpcs()
    ask(JournaledApp(Vpcs(), tmp_path / "journal"), "CreateVpc")

    again = JournaledApp(vpcs, tmp_path / "journal")
    again.replay({})
    ask(again, "CreateVpc")

    assert len({vpc for vpc, _ in vpcs.made}) == 2


def test_a_line_cut_short_by_a_kill_is_dropped(tmp_path: Path) -> None:
    journal, vpcs = tmp_path / "journal", Vpcs()
    ask(JournaledApp(Vpcs(), journal), "CreateVpc")
    whole = journal.read_text()
    journal.write_text(whole + whole[:40])

    assert JournaledApp(vpcs, journal).replay({}) == 1
    assert journal.read_text() == whole, "the next line would be written behind half a line"


def test_a_request_finds_its_way_again_by_its_address(tmp_path: Path) -> None:
    seen: list[str] = []

    def rest(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.extend(environ[name] for name in ("PATH_INFO", "REQUEST_URI", "RAW_URI"))
        start_response("200 OK", [])
        return []

    address = dict.fromkeys(("PATH_INFO", "REQUEST_URI", "RAW_URI"), "/clusters")
    request = {"REQUEST_METHOD": "POST", **address, "wsgi.input": io.BytesIO()}
    list(JournaledApp(rest, tmp_path / "journal")(request, lambda *_: None))
    seen.clear()

    JournaledApp(rest, tmp_path / "journal").replay(dict.fromkeys(address, "/"))

    assert seen == ["/clusters"] * 3


def test_requests_are_judged_by_their_action() -> None:
    def environ(**given: str) -> dict[str, str]:
        return {"REQUEST_METHOD": "POST", **given}

    ecr_api = "AmazonEC2ContainerRegistry_V20150921"
    assert changes_something(environ(HTTP_X_AMZ_TARGET=f"{ecr_api}.PutImage"), b"{}")
    assert not changes_something(environ(HTTP_X_AMZ_TARGET=f"{ecr_api}.DescribeImages"), b"{}")
    assert changes_something(environ(QUERY_STRING="Action=AssumeRole"), b"")
    assert changes_something(environ(PATH_INFO="/clusters"), b"{}")
    assert not changes_something({"REQUEST_METHOD": "GET", "PATH_INFO": "/clusters"}, b"")


def test_every_role_that_a_stack_file_lets_in_exists(dev: Settings) -> None:
    assert roles(dev) == [
        "arn:aws:iam::123456789012:role/gaming",
        "arn:aws:iam::123456789012:role/platform",
        "arn:aws:iam::123456789012:role/tvhub",
        "arn:aws:iam::210987654321:role/platform",
        "arn:aws:iam::210987654321:role/support",
    ]


def test_ecr_hears_of_pushed_tags_only() -> None:
    def event(action: str, **target: str) -> dict[str, Any]:
        return {"action": action, "target": {"repository": "a/b", "digest": "sha256:1", **target}}

    events = [event("push", tag="v1"), event("push"), event("pull", tag="v1"), event("delete")]

    assert list(pushed_tags({"events": events})) == [("a/b", "v1", "sha256:1")]
    assert list(pushed_tags({})) == []
