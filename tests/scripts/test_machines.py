"""People's machines: settings of Git, locales, hooks, terminals. None of them steers a release."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.scripts.release_repository import (
    DECLINED,
    ONE,
    PRECONDITION,
    REMOTE,
    THREE,
    TV_API,
    TWO,
    USAGE,
    ReleaseRepository,
    git,
    version_text,
)

SETTINGS = Path(__file__).with_name("hostile_settings.txt").read_text(encoding="utf-8").split()
"""Settings of Git that people have, and that reshape what Git prints, fetches or pushes."""


@pytest.fixture(scope="module")
def settled(
    tmp_path_factory: pytest.TempPathFactory, scaffold_repository: Path
) -> tuple[ReleaseRepository, dict[str, str]]:
    """Two promotions and a build, and what the commands say of them without any setting."""
    releases = ReleaseRepository(tmp_path_factory.mktemp("settled"), scaffold_repository)
    releases.render_plainly()
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    releases.deliver(TV_API, THREE)
    git(releases.clone, "pull", "--quiet")
    return releases, said(releases)


def said(releases: ReleaseRepository) -> dict[str, str]:
    commands = {
        "history": ("history.sh", "--json"),
        "promotion": ("promote-to-prod.sh", THREE.version, "--dry-run"),
        "rollback": ("rollback-prod.sh", "--service", "tv-api", "--dry-run"),
    }
    return {name: releases.run(*words).said for name, words in commands.items()}


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_git_changes_what_is_said(
    settled: tuple[ReleaseRepository, dict[str, str]], setting: str
) -> None:
    releases, without = settled
    assert "error" not in str(without)
    home = releases.root / "home" / ".gitconfig"
    before = home.read_text(encoding="utf-8")
    try:
        key, _, value = setting.partition("=")
        subprocess.run(
            ["git", "config", "--global", "--add", key, value], env=releases.environ, check=True
        )
        assert said(releases) == without
    finally:
        home.write_text(before, encoding="utf-8")


def test_all_of_them_together_do_not_change_a_release(releases: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
    for setting in SETTINGS:
        key, _, value = setting.partition("=")
        subprocess.run(
            ["git", "config", "--global", "--add", key, value], env=releases.environ, check=True
        )
    releases.bring(ONE.version, TWO.version)
    assert releases.rollback("--service", "tv-api", "--yes").code == 0
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)


@pytest.mark.parametrize(
    ("settings", "environ", "reason"),
    [
        ("[oops\n", {}, "bad config line"),
        ("[core]\n\tbare = perhaps\n", {}, "bad boolean config value 'perhaps'"),
        ("", {"GIT_CONFIG_COUNT": "many"}, "bogus count in GIT_CONFIG_COUNT"),
        ("[extensions]\n\tmoon = 1\n[core]\n\trepositoryformatversion = 1\n", {}, None),
    ],
)
def test_settings_that_git_cannot_read_are_the_reason_that_is_told(
    releases: ReleaseRepository, settings: str, environ: dict[str, str], reason: str | None
) -> None:
    with (releases.root / "home" / ".gitconfig").open("a", encoding="utf-8") as config:
        config.write(settings)
    before = releases.snapshot()
    ran = releases.run("history.sh", env={**releases.environ, **environ})
    assert releases.snapshot() == before
    if reason is None:  # of a person and not of the clone: Git does not mind
        assert ran.code == 0, ran.said
    else:
        assert ran.code == PRECONDITION, ran.said
        assert "error: Git does not work in this clone: " in ran.err
        assert reason in ran.err


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "nonsense"])
def test_in_every_locale_a_name_and_a_subject_are_utf_8(
    releases: ReleaseRepository, locale: str
) -> None:
    releases.render_plainly()
    git(releases.clone, "config", "user.name", "José 山田")
    releases.deliver(TV_API, ONE, "Größe ändern")
    environ = {**releases.environ, "LC_ALL": locale, "LANG": locale}
    assert releases.promote(ONE.version, "--yes", env=environ).code == 0
    ran = releases.run("history.sh", "--json", env=environ)
    row = json.loads(ran.out)[0]
    assert (row["by"], row["subject"]) == ("José 山田 <ada@acme.example>", "Größe ändern")


def test_a_pre_push_hook_of_the_clone_is_heard_and_named(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.hook("pre-push", "echo 'no direct pushes' >&2; exit 1", releases.clone)
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--yes")
    assert (ran.code, "the pre-push hook of this clone refused" in ran.err) == (PRECONDITION, True)
    assert "no direct pushes" in ran.err
    assert releases.snapshot() == before


def test_a_hook_that_runs_the_scripts_takes_nothing_from_the_release(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.edit({"scripts/release/words.py": releases.on_origin("scripts/release/words.py")})
    releases.hook("pre-push", "scripts/history.sh >/dev/null", releases.clone)
    ran = releases.promote(ONE.version, "--yes")
    assert (ran.code, "running origin's" in ran.err) == (0, True), ran.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    assert not list((releases.root / "temporary").iterdir())


def test_a_folder_that_was_given_is_not_taken_away(releases: ReleaseRepository) -> None:
    given = releases.root / "given"
    given.mkdir()
    (given / "precious").touch()
    ran = releases.run("history.sh", env={**releases.environ, "RELEASE_SCRATCH": str(given)})
    assert ran.code == 0, ran.said
    assert [file.name for file in given.iterdir()] == ["precious"]


def test_what_origin_says_cannot_steer_the_terminal(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.hook("pre-receive", r"printf '\033[2Jred \033]0;owned\007\n' >&2; exit 1")
    ran = releases.promote(ONE.version, "--yes")
    assert (ran.code, "\x1b" in ran.said, "\x07" in ran.said) == (REMOTE, False, False)
    assert "red" in ran.err


@pytest.mark.parametrize(
    ("words", "where", "code"),
    [
        ("history.sh", ">/dev/full 2>/dev/full", PRECONDITION),
        ("history.sh --service radio", "2>/dev/full", USAGE),
        ("history.sh --service radio", ">&- 2>&-", USAGE),
        ("history.sh --limit 0", "<&- 2>/dev/full", 0),
        (f"promote-to-prod.sh {ONE.version} --dry-run", ">/dev/full", PRECONDITION),
    ],
)
def test_where_nothing_can_be_said_the_exit_code_says_it(
    releases: ReleaseRepository, words: str, where: str, code: int
) -> None:
    releases.deliver(TV_API, ONE)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"scripts/{words} {where}"],
        cwd=releases.clone, env=releases.environ, check=False,
    )  # fmt: skip
    assert done.returncode == code


@pytest.mark.parametrize("errors", [subprocess.PIPE, subprocess.STDOUT])
def test_a_reader_that_has_seen_enough_of_a_release_stops_it(
    releases: ReleaseRepository, errors: int
) -> None:
    releases.deliver(TV_API, ONE)
    tip = releases.tip
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        ["scripts/promote-to-prod.sh", ONE.version, "--yes"], cwd=releases.clone,
        env=releases.environ, stdout=writer, stderr=errors, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, releases.tip) == (DECLINED, tip), done.stderr
    assert "Traceback" not in (done.stderr or "")
