"""Texts of others, before they reach a person: on the terminal, in commits, from the registry."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from release.arguments import parse
from release.commits import parse as read_commit
from release.configuration import Platform, identity, safe_address
from release.configuration import parse as read_platform
from release.deployed import Place
from release.errors import Failure
from release.git import Person, last_words, reaching, without_secrets
from release.history import _record
from release.plan import BUILD, PROMOTION, Change, Plan, message
from release.processes import Processes
from release.registry import Images, Registry, _image
from release.release import reasons
from release.repository import is_contention
from release.terminal import Terminal, one_line, visible
from release.versions import Running
from release.words import inert, restored

DIGEST = f"sha256:{'a' * 64}"
VERSION = "v20261101-0123abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 日本 \u00df", "plain ünï 日本 \u00df"),
        ("\x1b[2Jred", "\\x1b[2Jred"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\rb", "a\\rb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u061cb", "a\\u061cb"),
        ("\x9b2J", "\\x9b2J"),
        ("a\tb\nc", "a\tb\nc"),
        ("lone \udcff", "lone \\udcff"),
    ],
)
def test_nothing_steers_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out, err, io.StringIO())
    terminal.say(text)
    terminal.note(text)
    assert out.getvalue() == err.getvalue() == shown + "\n"


def test_one_line_is_one_line() -> None:
    assert one_line(" a\r\n\tb\n") == "a b"


def test_a_subject_is_no_trailer_and_cannot_hide_one() -> None:
    change = Change(
        Place("prod", "shop/cart"), "kustomize", "p", "none", VERSION, DIGEST,
        subject="Fix\x02\x02\nRelease-Kind: build",
    )  # fmt: skip
    plan = Plan("prod", PROMOTION, [change, change._replace(place=Place("prod", "shop/till"))])
    body = ["Release-Service: community/tournaments"]
    text = message(plan, Person("Ada", "ada@acme.example"), body)
    told = read_commit(b"tree x\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n" + text.encode())
    assert [record["Service"] for record in told.records] == ["shop/cart", "shop/till"]
    assert {record["Kind"] for record in told.records} == {"promotion"}


@pytest.mark.parametrize(
    "text",
    [
        "* prod: cart v1\n\nRelease-Service: shop/cart\nRelease-Environment: prod\n"
        f"Release-Version: {VERSION}\nRelease-Digest: {DIGEST}\nRelease-Kind: promotion\n\n"
        "* another commit\n\nwith words\n",
        f"Title (#12)\r\n\r\nRelease-Service: shop/cart\r\nRelease-Environment: prod\r\n"
        f"Release-Version: {VERSION}\r\nRelease-Kind: promotion\r\n\r\nReviewed-by: Bo\r\n",
    ],
)
def test_a_squashed_merge_still_tells_of_its_release(text: str) -> None:
    told = read_commit(b"tree x\n\n" + text.encode())
    found = _record(told.records, Place("prod", "shop/cart"), Running(VERSION, DIGEST))
    assert found is not None
    assert found["Kind"] == "promotion"
    other = Running(VERSION, f"sha256:{'b' * 64}")
    assert (_record(told.records, Place("prod", "shop/cart"), other) is None) == (DIGEST in text)


def test_a_commit_in_another_encoding_or_in_none_is_told_in_utf_8() -> None:
    latin = b"tree x\nauthor J\xfcrgen <j> 1 +0000\nencoding ISO-8859-1\n\nMen\xfc\n"
    assert (read_commit(latin).author, read_commit(latin).title) == ("Jürgen <j>", "Menü")
    assert read_commit(b"tree x\n\nMen\xfc\n").title == "Men\ufffd"
    assert read_commit(b"").seconds == 0


@pytest.mark.parametrize("encoding", ["undefined", "punycode", "hex", "a\0b", "no such"])
def test_what_git_takes_for_an_encoding_and_python_does_not_hides_no_commit(encoding: str) -> None:
    head = f"tree x\ncommitter J <j> 7 +0000\nencoding {encoding}\n\n".encode()
    told = read_commit(head + b"Men\xc3\xbc for two\n")
    assert (told.title, told.seconds) == ("Menü for two", 7)


def test_a_time_that_no_clock_shows_is_none() -> None:
    assert read_commit(b"tree x\ncommitter J <j> %b +0000\n\nx\n" % (b"9" * 5000)).seconds == 0


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (f"{DIGEST}\t1764000000\t{VERSION},dev", True),
        (f"{DIGEST}\t1764000000.5\t{VERSION}", True),
        (f"{DIGEST}\t1.7643e9\tdev", True),
        (f"{DIGEST}\t2026-11-26T12:00:00.123000+05:30\tdev", True),
        (f"{DIGEST}\t2026-11-26T12:00:00Z\tdev", True),
        (f"{DIGEST}\t2026-13-26T12:00:00Z\tdev", False),
        (f"None\t1764000000\t{VERSION},dev", False),
        (f"sha256:abc # x\t1764000000\t{VERSION}", False),
        (f"latest\t1764000000\t{VERSION}", False),
        (f"{DIGEST}\tyesterday\t{VERSION}", False),
        (f"{DIGEST}\t1764000000", False),
        (f"{DIGEST}\t1764000000\t{VERSION}, dev", False),
        ("None", False),
        ("<html>", False),
        ('[["sha256:x",1,"v"]]', False),
    ],
)
def test_an_answer_of_the_registry_is_a_list_of_images_or_none(line: str, read: bool) -> None:
    assert (_image(line) is not None) is read


def test_push_times_are_seconds_since_1970_in_every_spelling() -> None:
    times = ["1795696200", "1795696200.7", "2026-11-26T12:30:00Z", "2026-11-26T18:00:00+05:30"]
    found = [_image(f"{DIGEST}\t{time}\tdev") for time in times]
    assert [image.pushed for image in found if image] == [1795696200] * 4


REGISTRY = '"account": "1", "region": "r", "registry": "h"'
PLATFORM = f"""{{"format": 1,
 "git": {{"url": "https://github.com/acme/gitops.git", "branch": "main"}},
 "environments": {{"dev": {{"speed": "fast", "moving_tag": "dev", {REGISTRY}}},
  "staging": {{"speed": "safe", {REGISTRY}}},
  "prod": {{"speed": "safe", "refuse": "high", {REGISTRY}}}}},
 "services": {{"shop/cart":
  {{"delivery": "keel", "packaging": "helm", "image": "shop/cart", "verify": true}}}},
 "kinds": {{"shop": ["/Service", "apps/Deployment"]}}}}"""


def test_the_platform_is_read_with_prod_as_the_environment_that_is_meant() -> None:
    platform: Platform = read_platform(PLATFORM, "x")
    assert platform.safe == ["prod", "staging"]
    assert platform.target(None).name == "prod"
    assert (platform.fast.moving_tag, platform.target("prod").refuse) == ("dev", "high")
    assert platform.kinds_of("shop/cart") == {("", "Service"), ("apps", "Deployment")}
    assert platform.asks_for_verification("shop/cart")
    for name in ("", "dev", "moon"):
        with pytest.raises(Failure, match="not an environment that is promoted to"):
            platform.target(name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"format": 1', '"format": 2'),
        ('"fast"', '"slow"'),
        ('"fast"', '"safe"'),
        ("https://github.com", "ext::sh -c x"),
        ("https://github.com", "--upload-pack=x"),
        ('"main"', '"../x"'),
        ('"main"', "7"),
        ('"high"', '"dreadful"'),
        ('"prod": {', '"Prod/..": {'),
        ("}}", "}"),
        (PLATFORM, "[]"),
        (PLATFORM, "[" * 99_999),
        (PLATFORM, ""),
    ],
)
def test_a_platform_that_is_not_understood_is_refused_in_a_sentence(old: str, new: str) -> None:
    assert old in PLATFORM
    with pytest.raises(Failure, match=r"^x (cannot be read|has the format)"):
        read_platform(PLATFORM.replace(old, new, 1), "x")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://github.com/acme/gitops.git", "git@github.com:acme/gitops", True),
        ("https://github.com/acme/gitops.git", "ssh://git@github.com:22/acme/gitops.git", True),
        ("https://x:y@GitHub.com/acme/gitops/", "https://github.com/acme/gitops.git", True),
        ("https://github.com:8443/acme/gitops.git", "https://github.com/acme/gitops.git", False),
        ("https://github.com/ada/gitops.git", "https://github.com/acme/gitops.git", False),
        ("/srv/acme/gitops.git", "https://github.com/acme/gitops.git", False),
        ("https://[::1/acme/gitops.git", "https://github.com/acme/gitops.git", False),
    ],
)
def test_two_spellings_of_one_repository_are_the_same(one: str, other: str, same: bool) -> None:
    assert (identity(one) == identity(other)) is same


def test_an_address_is_no_option_and_no_program() -> None:
    assert safe_address("git@github.com:acme/gitops.git")
    for url in ("", "--upload-pack=x", "ext::sh -c x", "fd::17"):
        assert not safe_address(url)


def test_only_settings_that_say_how_a_remote_is_reached_are_handed_on() -> None:
    kept = [
        ("http.proxy", "p"), ("http.https://x.extraheader", "h"), ("credential.helper", ""),
        ("url.a.insteadof", "b"), ("core.sshcommand", "ssh -i k"), ("ssh.variant", "ssh"),
    ]  # fmt: skip
    others = [
        ("core.hookspath", "h"), ("protocol.version", "0"), ("remote.origin.pushurl", "u"),
        ("push.pushoption", "x"), ("fetch.fsckobjects", "true"), ("core.fsmonitor", "x"),
        ("protocol.ext.allow", "always"), ("log.follow", "true"), ("core.pager", "x"),
    ]  # fmt: skip
    assert reaching([*others, *kept]) == kept


def test_secrets_of_addresses_and_the_reason_of_a_failure() -> None:
    text = "Cloning...\nfatal: unable to access 'https://ada:s3cr3t@x.example/a.git/': no\nbye\n"
    assert last_words(text) == "fatal: unable to access 'https://x.example/a.git/': no"
    assert without_secrets("see https://x.example/a") == "see https://x.example/a"
    assert without_secrets("https://ada:p@ss@x.example/b@c") == "https://x.example/b@c"
    assert last_words("") == "it said nothing"
    ssh = "fatal: Could not read from remote repository.\n\nPlease make sure you have the rights\n"
    refused = "ssh: connect to host x.example port 22: Connection refused"
    assert last_words(f"{refused}\n{ssh}") == refused
    assert last_words(ssh) == "fatal: Could not read from remote repository."


@pytest.mark.parametrize(
    ("words", "contention"),
    [
        (" ! [rejected]        abc -> main (fetch first)", True),
        (" ! [rejected]        abc -> main (stale info)", True),
        (" ! [remote rejected] abc -> main (failed to update ref)", True),
        (" ! [remote rejected] abc -> main (cannot lock ref 'refs/heads/main': is at x)", True),
        ("remote: you are behind: git fetch first\n ! [remote rejected] (pre-receive hook)", False),
        ("remote:  ! (fetch first)\n ! [remote rejected] abc -> main (hook declined)", False),
    ],
)
def test_only_git_itself_says_that_somebody_was_faster(words: str, contention: bool) -> None:
    assert is_contention(f"To https://x.example/a.git\n{words}\nerror: failed") is contention


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--service"], "--service needs a value"),
        (["--service", ""], "--service needs a value"),
        (["--service="], "--service needs a value"),
        (["--service", "--yes"], "--service needs a value"),
        (["--force"], "unknown option"),
        (["--yes=no"], "unknown option"),
        (["--"], "unknown option"),
        (["--limit", "x"], "--limit needs a number"),
        (["--limit", "1234567"], "--limit needs a number"),
        (["--limit", "٣"], "--limit needs a number"),
    ],
)
def test_a_command_line_that_is_not_understood_is_refused(words: list[str], problem: str) -> None:
    with pytest.raises(Failure, match=problem):
        parse(words, flags=("--yes",), values=("--service", "--limit"), takes_words=True).number(
            "--limit"
        )


def test_a_missing_aws_cli_and_a_missing_folder_are_told() -> None:
    asked = registry({"PATH": "/nonexistent"})
    assert asked.ask(["shop/cart"]) == {}
    assert asked.silent(["shop/cart"]) == {"shop/cart": "the AWS CLI (aws) is not installed"}
    with pytest.raises(Failure, match="the registry did not answer for shop/cart"):
        asked.require(["shop/cart"])
    assert Images(()).tagged("dev") is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("COMPLETE\t0\t1\t0\t2\t0", {"high": 1, "low": 2}),
        ("COMPLETE\t0\t²\t0\t0\t0", "what is no count of findings: 'COMPLETE 0 ² 0 0 0'"),
        (f"COMPLETE\t{'9' * 5000}\t0\t0\t0\t0", "what is no count of findings"),
        ("COMPLETE\t0\t0", "what is no count of findings: 'COMPLETE 0 0'"),
        ("None", "what is no count of findings: 'None'"),
        ("<html>\x1b[2J", "what is no count of findings: '<html>\\\\x1b[2J'"),
        ("", "what is no count of findings: ''"),
    ],
)
def test_an_answer_about_findings_is_a_count_or_none(
    monkeypatch: pytest.MonkeyPatch, answer: str, told: str | dict[str, int]
) -> None:
    monkeypatch.setattr(Registry, "_run", lambda *_, **__: (answer,))
    found = registry({}).findings("shop/cart", DIGEST)
    if isinstance(found, str):
        assert isinstance(told, str)
        assert told in found
    else:
        assert {name: number for name, number in found.items() if number} == told


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("", "the AWS CLI (aws) cannot be run: Exec format error"),
        ("#!/bin/sh\nexit 3\n", "aws ended with 3"),
        ("#!/bin/sh\necho 'x\x1b[2J' >&2; exit 3\n", "x\\x1b[2J"),
        ("#!/bin/sh\necho '<html>429</html>'\n", "what is no list of images"),
    ],
)
def test_an_aws_cli_that_is_broken_is_a_registry_that_does_not_answer(
    tmp_path: Path, program: str, told: str
) -> None:
    (tmp_path / "aws").write_text(program, encoding="utf-8")
    (tmp_path / "aws").chmod(0o755)
    asked = registry({"PATH": str(tmp_path)})
    assert asked.ask(["shop/cart"]) == {}
    assert told in asked.silent(["shop/cart"])["shop/cart"]


def registry(environ: dict[str, str]) -> Registry:
    terminal = Terminal(io.StringIO(), io.StringIO(), io.StringIO())
    return Registry(Processes(), environ, terminal, read_platform(PLATFORM, "x").fast)


def test_why_a_push_was_refused_is_told_without_gits_own_advice() -> None:
    refusal = "! [remote rejected] main -> main (pre-receive hook)"
    words = [
        *(f"hint: line {number}" for number in range(30)),
        "remote: Only by pull request",
        "To http://git.example/a",
        f" {refusal}",
        "error: failed to push some refs",
    ]
    assert reasons("\n".join(words)) == ["remote: Only by pull request", refusal]


@pytest.mark.parametrize(
    ("subject", "written"),
    [
        ("Fix it [skip ci]", "Fix it [\\skip ci]"),
        (
            "[ci skip] [skip-ci] [no ci] [skip actions]",
            "[\\ci skip] [\\skip-ci] [\\no ci] [\\skip actions]",
        ),
        ("***NO_CI*** now", "*\\*\\*\\NO_CI*\\*\\*\\ now"),
        ("fixes #1, closes acme/gitops#2", "fixes #\\1, closes acme/gitops#\\2"),
        ("closes GH-7 and !8", "closes GH-\\7 and !\\8"),
        (
            "closes https://github.com/acme/x/issues/1",
            "closes https://\\github.com/acme/x/issues/1",
        ),
        ("ACME-1 #done @everyone", "ACME-1 #\\done @\\everyone"),
        ("plain: words (as they are)!", "plain: words (as they are)!"),
        ("already [\\skip ci]", "already [\\\\skip ci]"),
    ],
)
def test_what_a_git_host_or_ci_acts_upon_stays_words(subject: str, written: str) -> None:
    change = Change(
        Place("dev", "shop/cart"), "kustomize", "p", "none", VERSION, DIGEST, subject=subject
    )
    person = Person("Ada [skip ci]", "ada@acme.example")
    text = message(Plan("dev", BUILD, [change], accepted=subject), person, [subject])
    _, _, body, *rest = text.split("\n")
    told = read_commit(b"tree x\n\n" + text.encode()).records[0]
    assert written in body
    assert f"Release-Subject: {written}" in rest
    assert "Release-By: Ada [\\skip ci] <ada@acme.example>" in rest
    assert told["Subject"] == told["Accepted-Findings"] == subject
    assert told["By"] == "Ada [skip ci] <ada@acme.example>"


@pytest.mark.parametrize(
    "line", ["skip-checks: true", "Co-authored-by: Eve <e@x>", "Release-By: x"]
)
def test_a_subject_that_looks_like_a_trailer_is_quoted(line: str) -> None:
    change = Change(Place("dev", "shop/cart"), "kustomize", "p", "none", VERSION, DIGEST)
    text = message(Plan("dev", BUILD, [change]), Person("Ada", "ada@acme.example"), [line])
    assert text.split("\n")[2] == f"> {line}"


def test_words_come_back_as_they_were() -> None:
    letters = random.Random(7)  # noqa: S311 - no secret
    for _ in range(3000):
        text = "".join(letters.choices("[]#*@:/\\!ghGH-1a bot", k=letters.randrange(12)))
        assert restored(inert(text)) == text
