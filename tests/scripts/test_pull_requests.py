"""Releases by pull request, against a host that speaks as Gitea does; merged in three ways."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.scripts.release_repository import (
    INTERRUPTED,
    ONE,
    PRECONDITION,
    REMOTE,
    TIMEOUT,
    TV_API,
    TWO,
    Ran,
    ReleaseRepository,
    git,
    version_text,
)


class Gitea(ThreadingHTTPServer):
    """The pull requests of one repository, in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.pulls: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.refuses = ""
        self.asked, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/acme/gitops.git"


class Answers(BaseHTTPRequestHandler):
    server: Gitea

    def do_GET(self) -> None:
        if self.path == "/api/v1/version":
            return self._say(200, {"version": "1.27.3"})
        self._know()
        query = parse_qs(urlsplit(self.path).query)
        assert query["state"] == ["open"]
        page = int(query["page"][0])
        wanted = [p for p in self.server.pulls if p["state"] == "open"]
        return self._say(200, [_as_told(p) for p in wanted][page - 1 : page])

    def do_POST(self) -> None:
        self._know()
        self.server.asked.set()
        self.server.goes_on.wait(TIMEOUT)
        if self.server.refuses:
            return self._say(422, {"message": self.server.refuses})
        number = len(self.server.pulls) + 1
        given = self._read()
        if any((p["head"], p["state"]) == (given["head"], "open") for p in self.server.pulls):
            return self._say(409, {"message": "pull request already exists for these targets"})
        pull = given | {
            "number": number,
            "state": "open",
            "html_url": f"http://git/acme/gitops/pulls/{number}",
        }
        self.server.pulls.append(pull)
        return self._say(201, pull)

    def do_PATCH(self) -> None:
        self._know()
        pull = self.server.pulls[int(self.path.split("/")[-1]) - 1]
        pull |= self._read()
        return self._say(200, pull)

    def _know(self) -> None:
        self.server.tokens.add(self.headers.get("Authorization", ""))

    def _read(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return content

    def _say(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


def _as_told(pull: dict[str, Any]) -> dict[str, Any]:
    return pull | {
        "head": {"ref": pull["head"], "repo_id": 1},
        "base": {"ref": pull["base"], "repo_id": 1},
    }


@pytest.fixture
def gitea() -> Iterator[Gitea]:
    server = Gitea()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def releases(releases: ReleaseRepository, gitea: Gitea) -> ReleaseRepository:
    """A repository on that host, whose main nobody may push."""
    told = json.loads(releases.on_origin("scripts/platform.json"))
    told["git"]["url"] = gitea.url
    told["environments"]["prod"]["releases"] = "pull-request"
    releases.edit({"scripts/platform.json": json.dumps(told)}, "Elsewhere")
    with (releases.root / "home" / ".gitconfig").open("a", encoding="utf-8") as config:
        config.write(f'[url "{releases.origin}"]\n\tinsteadOf = {gitea.url}\n')
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
    git(releases.clone, "pull", "--quiet")
    return releases


def propose(releases: ReleaseRepository, *words: str, script: str = "promote-to-prod.sh") -> Ran:
    environ = {**releases.environ, "GITEA_TOKEN": "t0ken"}
    return releases.run(script, *words, "--service", "tv-api", "--yes", env=environ)


def merge(releases: ReleaseRepository, pull: dict[str, Any], how: str) -> None:
    """Merges a pull request as a host does; main has moved on since."""
    pull["state"] = "closed"
    releases.edit({"notes.md": f"{pull['number']}\n"}, "Meanwhile")
    host = releases.new_clone(f"host-{pull['number']}", "Host")
    head = f"origin/{pull['head']}"
    if how == "merge":
        git(
            host, "merge", "--quiet", "--no-ff", "-m", f"Merge pull request #{pull['number']}", head
        )
    elif how == "squash":
        git(host, "merge", "--quiet", "--squash", head)
        git(host, "commit", "--quiet", "-m", f"{pull['title']} (#1)", "-m", pull["body"])
    else:
        git(host, "cherry-pick", head)
    git(host, "push", "--quiet", "origin", "HEAD:main")


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_merged_proposal_is_a_promotion_and_can_be_rolled_back_by_another(
    releases: ReleaseRepository, gitea: Gitea, how: str
) -> None:
    for build in (ONE, TWO):
        tip = releases.tip
        ran = propose(releases, build.version)
        assert (ran.code, gitea.pulls[-1]["html_url"] in ran.out) == (0, True), ran.said
        assert releases.tip == tip
        merge(releases, gitea.pulls[-1], how)
        assert releases.runs("prod", TV_API) == version_text(TV_API, build)
    row = releases.history("--environment", "prod")[0]
    assert (row["kind"], row["version"], row["by"]) == (
        "promotion",
        TWO.version,
        "Ada <ada@acme.example>",
    )
    ran = propose(releases, script="rollback-prod.sh")
    assert ran.code == 0, ran.said
    merge(releases, gitea.pulls[-1], how)
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    assert releases.history("--environment", "prod")[0]["kind"] == "rollback"
    assert gitea.tokens == {"token t0ken"}


def test_a_version_that_is_proposed_again_later_gets_a_pull_request_of_its_own(
    releases: ReleaseRepository, gitea: Gitea
) -> None:
    for build in (ONE, TWO):
        assert propose(releases, build.version).code == 0
        merge(releases, gitea.pulls[-1], "squash")
    assert propose(releases, script="rollback-prod.sh").code == 0
    merge(releases, gitea.pulls[-1], "squash")
    for _ in range(2):
        ran = propose(releases, TWO.version)
        assert ran.code == 0, ran.said
    assert [pull["state"] for pull in gitea.pulls] == ["closed", "closed", "closed", "open"]
    assert gitea.pulls[1]["head"] == gitea.pulls[3]["head"]


def test_the_text_has_the_difference_and_the_trailers_and_a_second_try_updates(
    releases: ReleaseRepository, gitea: Gitea
) -> None:
    propose(releases, ONE.version)
    text = gitea.pulls[0]["body"]
    assert f"+        image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/{TV_API}" in text
    assert text.rstrip().splitlines()[-1].startswith("Release-Subject: ")
    assert f"| {TV_API} | none | {ONE.version} |" in text
    releases.edit({"notes.md": "more\n"}, "Meanwhile")
    assert propose(releases, ONE.version).code == 0
    assert len(gitea.pulls) == 1


def test_without_a_token_or_with_a_refusal_main_is_as_it_was(
    releases: ReleaseRepository, gitea: Gitea
) -> None:
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--service", "tv-api", "--yes")
    assert (ran.code, "GITEA_TOKEN" in ran.err) == (PRECONDITION, True), ran.said
    gitea.refuses = "user \x1b[2J is blocked"
    ran = propose(releases, ONE.version)
    assert (ran.code, "is blocked" in ran.err, "\x1b" in ran.err) == (REMOTE, True, False)
    assert releases.snapshot() == before


def test_a_branch_that_did_not_stay_on_origin_is_not_proposed(
    releases: ReleaseRepository, gitea: Gitea
) -> None:
    releases.hook("post-receive", "read -r _ _ ref; git update-ref -d $ref")
    before = releases.snapshot()
    ran = propose(releases, ONE.version)
    assert (ran.code, "does not have the commit" in ran.err) == (REMOTE, True), ran.said
    assert (gitea.pulls, releases.snapshot()) == ([], before)


def test_a_pre_push_hook_of_the_clone_is_heard(releases: ReleaseRepository, gitea: Gitea) -> None:
    releases.hook("pre-push", "cat >&2; exit 1", releases.clone)
    ran = propose(releases, ONE.version)
    assert (ran.code, "the pre-push hook of this clone refused" in ran.err) == (PRECONDITION, True)
    assert " refs/heads/release/prod-promotion-tv-api-" in ran.err
    assert "0" * 40 in ran.err
    assert not gitea.pulls


def test_ctrl_c_while_the_host_thinks_says_what_was_pushed(
    releases: ReleaseRepository, gitea: Gitea
) -> None:
    gitea.goes_on.clear()
    environ = {**releases.environ, "GITEA_TOKEN": "t0ken"}
    words = (ONE.version, "--service", "tv-api", "--yes")
    process = releases.start("promote-to-prod.sh", *words, env=environ)
    assert gitea.asked.wait(TIMEOUT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT)
    gitea.goes_on.set()
    assert process.returncode == INTERRUPTED, err
    assert "interrupted, but the branch release/prod-promotion-tv-api-" in err
