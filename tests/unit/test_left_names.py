"""The names that external-dns leaves in a zone go with the environment, and no others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.ingress import left_names
from components.ingress.left_names import LeftNames

MARK = '"heritage=external-dns,external-dns/owner={},external-dns/resource=ingress/a/b"'


def record(name: str, kind: str = "A", *values: str) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "ResourceRecords": [{"Value": value} for value in values]}


def marked(name: str, owner: str) -> list[dict[str, Any]]:
    return [record(name), record(f"a-{name}", "TXT", MARK.format(owner))]


ZONE = [
    record("acme.example.", "NS", "ns.example."),
    record("acme.example.", "TXT", '"v=spf1 -all"'),
    record("mail.acme.example.", "MX", "10 mail.example."),
    *marked("tournaments.dev.acme.example.", "acme-dev"),
    *marked("tournaments.acme.example.", "acme-prod"),
    *marked("shop.acme.example.", "acme-dev-two"),
    # Somebody's own text that begins alike.
    record("a-mail.acme.example.", "TXT", '"external-dns/owner=acme-dev"'),
    # Marks that are none: of another program, and without a text.
    record("a-tv.acme.example.", "TXT", '"Xheritage=external-dns,external-dns/owner=acme-dev"'),
    {"Name": "a-alias.acme.example.", "Type": "TXT"},
    # Its record is gone already.
    record("cname-gone.dev.acme.example.", "TXT", MARK.format("acme-dev")),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[str, ...], Mapping[str, str]]]:
    calls: list[tuple[tuple[str, ...], Mapping[str, str]]] = []

    def answer(variables: Mapping[str, str], *words: str) -> Any:
        calls.append((words, dict(variables)))
        keys = {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "SessionToken": "t"}
        return {"ResourceRecordSets": ZONE, "Credentials": keys}

    monkeypatch.setattr(left_names, "aws", answer)
    return calls


def test_only_records_that_are_marked_as_ours_are_ours() -> None:
    names = [(one["Name"], one["Type"]) for one in left_names.own(ZONE, "acme-dev")]
    assert names == [
        ("a-tournaments.dev.acme.example.", "TXT"),
        ("tournaments.dev.acme.example.", "A"),
        ("cname-gone.dev.acme.example.", "TXT"),
    ]


def test_deleting_it_deletes_them(asked: list[Any]) -> None:
    LeftNames().delete("id", {"zone": "Z1", "owner": "acme-prod", "profile": None, "role": None})
    (listing, _), (changing, _) = asked
    assert listing == ("route53", "list-resource-record-sets", "--hosted-zone-id", "Z1")
    assert changing[:5] == (
        *("route53", "change-resource-record-sets", "--hosted-zone-id", "Z1"),
        "--change-batch",
    )
    changes = json.loads(changing[5])["Changes"]
    assert [(one["Action"], one["ResourceRecordSet"]["Name"]) for one in changes] == [
        ("DELETE", "a-tournaments.acme.example."),
        ("DELETE", "tournaments.acme.example."),
    ]


def test_where_nothing_is_left_nothing_is_changed(asked: list[Any]) -> None:
    LeftNames().delete("id", {"zone": "Z1", "owner": "acme-test", "profile": None, "role": None})
    assert len(asked) == 1


def test_it_acts_as_the_program_does(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    props = {"zone": "Z1", "owner": "none", "profile": "acme", "role": "arn:aws:iam::1:role/p"}
    LeftNames().delete("id", props)
    (taking, first), (_, then) = asked
    assert taking == (
        *("sts", "assume-role", "--role-arn", "arn:aws:iam::1:role/p"),
        *("--role-session-name", "pulumi"),
    )
    assert first["AWS_PROFILE"] == "acme"
    assert "AWS_PROFILE" not in then
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    assert [then[key] for key in keys] == ["AKIA", "s", "t"]


def test_another_zone_or_owner_sweeps_the_old_one() -> None:
    old = {"zone": "Z1", "owner": "acme-dev", "profile": None, "role": None}
    assert LeftNames().diff("id", old, old).changes is False
    moved = LeftNames().diff("id", old, old | {"zone": "Z2"})
    assert (moved.changes, moved.replaces) == (True, ["zone"])
    named = old | {"profile": "acme", "role": "arn:aws:iam::1:role/p"}
    assert LeftNames().diff("id", named, named).changes is False
    for key in ("profile", "role"):
        other = LeftNames().diff("id", old, old | {key: "another"})
        assert (other.changes, other.replaces) == (True, [])


def test_creating_it_makes_nothing() -> None:
    props = {"zone": "Z1", "owner": "acme-dev", "profile": None, "role": None}
    made = LeftNames().create(props)
    assert (made.id, made.outs) == ("Z1/acme-dev", props)


CLI = """\
#!/bin/sh
case $1 in
  fail) echo "  no such zone  " >&2; exit 254 ;;
  quiet) echo ;;
  *) printf '{"words": "%s", "profile": "%s", "typed": "%s"}' "$*" "$AWS_PROFILE" "$(cat)" ;;
esac
"""


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An AWS CLI that repeats what it was told, while somebody types."""
    program = tmp_path / "aws"
    program.write_text(CLI)
    program.chmod(0o755)
    reading, writing = os.pipe()
    os.write(writing, b"yes")
    os.close(writing)
    before = os.dup(0)
    os.dup2(reading, 0)
    yield {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AWS_PROFILE": "acme"}
    os.dup2(before, 0)
    os.close(reading)
    os.close(before)


def test_the_cli_is_asked_in_json_and_nobody_answers_its_questions(cli: dict[str, str]) -> None:
    assert left_names.aws(cli, "sts", "get-caller-identity") == {
        "words": "sts get-caller-identity --output json",
        "profile": "acme",
        "typed": "",
    }
    assert left_names.aws(cli, "quiet") == {}


def test_what_the_cli_cannot_do_is_told(cli: dict[str, str]) -> None:
    with pytest.raises(RuntimeError) as refused:
        left_names.aws(cli, "fail", "early", "--hosted-zone-id", "Z1")
    assert str(refused.value) == "aws fail early: no such zone"


def test_large_zones_are_swept_in_several_requests(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_names, "BATCH", 2)
    LeftNames().delete("id", {"zone": "Z1", "owner": "acme-dev", "profile": None, "role": None})
    sizes = [len(json.loads(words[5])["Changes"]) for words, _ in asked[1:]]
    assert sizes == [2, 1]
