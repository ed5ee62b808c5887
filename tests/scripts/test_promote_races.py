"""Promotions that meet each other, a failing remote, or Ctrl-C: whole, or nothing."""

from __future__ import annotations

import signal
import time

import pytest

from tests.scripts.release_repository import (
    DECLINED,
    INTERRUPTED,
    ONE,
    REMOTE,
    THREE,
    TIMEOUT,
    TV_API,
    TV_FRONTEND,
    TWO,
    Build,
    ReleaseRepository,
    Terminal,
    git,
    version_text,
)


@pytest.fixture
def releases(releases: ReleaseRepository) -> ReleaseRepository:
    """Rendered plainly: what is at stake here is Git."""
    releases.render_plainly()
    return releases


def test_two_promotions_at_the_same_moment_both_land(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.deliver(TV_FRONTEND, TWO)
    other = releases.new_clone("other", "Bob")
    before = releases.tip
    started = [
        releases.start("promote-to-prod.sh", ONE.version, "--yes"),
        releases.start("promote-to-prod.sh", TWO.version, "--yes", clone=other),
    ]
    for process in started:
        out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, out + err
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    assert releases.runs("prod", TV_FRONTEND) == version_text(TV_FRONTEND, TWO)
    assert git(releases.origin, "rev-list", "--count", f"{before}..main") == "2"


def meanwhile(releases: ReleaseRepository, path: str, text: str) -> None:
    """Somebody commits just as our push begins, once."""
    other = releases.new_clone("meanwhile", "Bob")
    releases.hook(
        "pre-push",
        f"[[ -e '{releases.root}/done' ]] && exit\n"
        f"touch '{releases.root}/done'\n"
        "unset $(git rev-parse --local-env-vars)\n"
        f"cd '{other}' && echo '{text}' >>'{path}'\n"
        "git commit --quiet --all -m 'Meanwhile' && git push --quiet",
        releases.clone,
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "bring"),
    [
        (["promote-to-prod.sh", TWO.version], f"promote-to-prod.sh {THREE.version}", TWO),
        (["rollback-prod.sh"], "rollback-prod.sh", ONE),
    ],
)
def test_with_yes_nothing_newer_and_nothing_further_back_is_replaced_unseen(
    releases: ReleaseRepository, mine: list[str], theirs: str, bring: Build
) -> None:
    for build in (ONE, TWO, THREE):
        releases.deliver(TV_API, build)
    releases.bring(ONE.version, *([TWO.version, THREE.version] if bring == ONE else []))
    other = releases.new_clone("meanwhile", "Bob")
    releases.hook(
        "pre-push",
        f"[[ -e '{releases.root}/done' ]] && exit\n"
        f"touch '{releases.root}/done'\n"
        "unset $(git rev-parse --local-env-vars)\n"
        f"cd '{other}' && scripts/{theirs} --service tv-api --yes",
        releases.clone,
    )
    ran = releases.run(*mine, "--service", "tv-api", "--yes")
    assert (ran.code, f"this would bring {bring.version}" in ran.err) == (REMOTE, True), ran.said
    theirs_runs = TWO if bring == ONE else THREE
    assert releases.runs("prod", TV_API) == version_text(TV_API, theirs_runs)


def test_a_push_race_about_other_files_is_retried_without_asking_again(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    meanwhile(releases, "README.md", "unrelated")
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.type("y\n")
    assert person.end() == 0, person.seen
    assert "planning again" in person.seen
    assert person.seen.count("[y/N]") == 1
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    assert releases.on_origin("README.md").endswith("unrelated")


def test_a_push_race_that_changes_what_was_shown_is_shown_and_asked_again(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    meanwhile(releases, f"environments/prod/{TV_API}/kustomization.yaml", "nameSuffix: -late")
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.type("y\n")
    person.wait_for("no longer what you saw")
    person.wait_for("-late")
    person.wait_for("[y/N]")
    person.type("n\n")
    assert person.end() == 1, person.seen
    assert ONE.version not in releases.runs("prod", TV_API)


def test_what_is_typed_before_the_question_is_no_answer(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.type("y\n")
    person.wait_for("[y/N]")
    person.type("n\n")
    assert person.end() == DECLINED, person.seen
    assert ONE.version not in releases.runs("prod", TV_API)


def test_an_answer_that_is_typed_twice_answers_the_first_question_alone(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    meanwhile(releases, f"environments/prod/{TV_API}/kustomization.yaml", "nameSuffix: -late")
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.type("y\ny\n")
    person.wait_for("-late")
    person.wait_for("[y/N]")
    person.type("n\n")
    assert person.end() == DECLINED, person.seen
    assert ONE.version not in releases.runs("prod", TV_API)


def test_a_promotion_that_somebody_else_made_meanwhile_is_up_to_date(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    releases.put("prod", TV_API, ONE, kind="promotion")
    tip = releases.tip
    person.type("y\n")
    assert person.end() == 0, person.seen
    assert "already up to date" in person.seen
    assert releases.tip == tip


def test_twenty_promotions_through_a_failing_remote_land_whole_or_not_at_all(
    releases: ReleaseRepository,
) -> None:
    # Every push is numbered; a third of them fails, in an order without a pattern.
    releases.hook(
        "pre-receive",
        f"echo >>'{releases.root}/pushes'\n"
        f"n=$(wc -l <'{releases.root}/pushes'); (((n * 7919 + 13) % 31 % 3)) || exit 1",
    )
    services = (TV_API, TV_FRONTEND)
    for service in services:
        releases.registry.push(service, ONE)
        releases.registry.push(service, TWO)
    landed = 0
    for number in range(20):
        build = (ONE, TWO)[number % 2]
        before = releases.snapshot()
        named = ("--service", TV_API, "--service", TV_FRONTEND)
        ran = releases.promote(build.version, *named, "--untested", "--yes")
        if ran.code == 0:
            landed += "promoted" in ran.out
            for service in services:
                assert releases.runs("prod", service) == version_text(service, build)
            assert git(releases.clone, "status", "--porcelain") == ""
        else:
            assert ran.code == REMOTE, ran.said
            assert releases.snapshot() == before
    assert 0 < landed < 20
    assert len(releases.history("--environment", "prod")) == landed * len(services)


def test_a_push_that_arrived_although_the_line_broke_counts_as_landed(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.hook("post-receive", "kill -9 $PPID")
    ran = releases.promote(ONE.version, "--yes")
    assert ran.code == 0, ran.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)


def test_scripts_that_come_right_after_a_rollback_do_not_roll_back_again(
    releases: ReleaseRepository,
) -> None:
    for build in (ONE, TWO, THREE):
        releases.deliver(TV_API, build)
    releases.bring(ONE.version, TWO.version, THREE.version)
    releases.hook("post-receive", _NEWER_SCRIPTS)
    ran = releases.rollback("--service", "tv-api", "--yes")
    assert (ran.code, "rolled back" in ran.out) == (0, True), ran.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, TWO)


_NEWER_SCRIPTS = """\
read -r _ new ref
export GIT_INDEX_FILE=$PWD/newer
[[ $ref == refs/heads/main && ! -e $GIT_INDEX_FILE ]] || exit 0
export GIT_AUTHOR_NAME=Pulumi GIT_AUTHOR_EMAIL=p@acme.example
export GIT_COMMITTER_NAME=Pulumi GIT_COMMITTER_EMAIL=p@acme.example
git read-tree "$new"
blob=$(echo '# New' | git hash-object -w --stdin)
git update-index --add --cacheinfo "100644,$blob,scripts/release/newer.py"
git update-ref refs/heads/main "$(git commit-tree -p "$new" -m Newer "$(git write-tree)")"
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_prompt_leaves_the_clone_as_it_was(
    releases: ReleaseRepository, how: signal.Signals
) -> None:
    releases.deliver(TV_API, ONE)
    before = releases.snapshot()
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.interrupt(how)
    assert person.end() == INTERRUPTED, person.seen
    assert "nothing was changed" in person.seen
    assert releases.snapshot() == before


def test_a_kill_at_the_prompt_leaves_the_clone_as_it_was(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    before = releases.snapshot()
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.interrupt(signal.SIGKILL)
    assert person.end() == -signal.SIGKILL
    assert releases.snapshot() | {"left behind": ""} == before


def test_ctrl_c_during_the_push_leaves_the_clone_as_it_was(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.hook("pre-receive", f"touch '{releases.root}/pushing'; sleep 30; exit 1")
    before = releases.snapshot()
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.type("y\n")
    deadline = time.monotonic() + TIMEOUT
    while not (releases.root / "pushing").exists():
        assert time.monotonic() < deadline, "the push never began"
        time.sleep(0.01)
    person.interrupt()
    assert person.end() == INTERRUPTED, person.seen
    assert "whether the push arrived" in person.seen
    assert releases.snapshot() == before
