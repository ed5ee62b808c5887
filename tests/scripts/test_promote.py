"""`promote-to-prod.sh`: what it lists, what it promotes, and how it asks."""

from __future__ import annotations

import pytest

from tests.scripts.release_repository import (
    LEADERBOARD,
    ONE,
    TOURNAMENTS,
    TV_API,
    TV_FRONTEND,
    TWO,
    ReleaseRepository,
    Terminal,
    git,
    version_path,
    version_text,
)


def test_versions_are_listed_newest_first_with_subject_and_marks(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE, "Fix")
    releases.put("prod", TV_API, ONE, kind="promotion")
    releases.deliver(TV_API, TWO, "Undo")
    ran = releases.promote("--service", "tv-api")
    assert ran.code == 0, ran.said
    title, newest, oldest = ran.out.splitlines()
    assert title == TV_API
    assert newest.split() == [TWO.version, "now", "dev", "Undo"]
    assert oldest.split() == [ONE.version, "now", "prod", "Fix"]


def test_a_release_makes_an_old_version_no_newer(releases: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
    releases.put("prod", TV_API, ONE, kind="promotion")
    ran = releases.promote("--service", "tv-api")
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == [TWO.version, ONE.version]


def test_builds_of_a_keel_service_are_listed_by_push_time_from_the_registry(
    releases: ReleaseRepository,
) -> None:
    releases.registry.push(TOURNAMENTS, TWO, "dev", minutes_ago=30)
    releases.registry.push(TOURNAMENTS, ONE, minutes_ago=200)
    ran = releases.promote("--service", "tournaments")
    assert [line.split() for line in ran.out.splitlines()[1:]] == [
        [TWO.version, "30", "min", "dev"],
        [ONE.version, "3", "h"],
    ]


def test_without_arguments_every_service_is_listed(releases: ReleaseRepository) -> None:
    ran = releases.promote()
    titles = [line for line in ran.out.splitlines() if line and not line.startswith(" ")]
    assert titles == [LEADERBOARD, TOURNAMENTS, TV_API, TV_FRONTEND]
    assert ran.out.count("no version yet") == 4


def test_a_silent_registry_is_named_and_git_is_listed_all_the_same(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.registry.go_down()
    ran = releases.promote()
    assert ran.code == 0
    assert "the registry did not answer" in ran.err
    assert "Could not connect" in ran.err
    assert ONE.version in ran.out


def test_a_version_is_promoted_with_its_digest_and_trailers(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    ran = releases.promote(ONE.version, "--yes")
    assert ran.code == 0, ran.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    trailers = git(releases.origin, "log", "-1", "--format=%(trailers:only,unfold)", "main")
    assert trailers.splitlines()[:7] == [
        f"Release-Service: {TV_API}",
        "Release-Environment: prod",
        f"Release-Version: {ONE.version}",
        f"Release-Digest: {ONE.digest}",
        "Release-Previous: none",
        "Release-Kind: promotion",
        "Release-By: Ada <ada@acme.example>",
    ]
    assert "Release-Untested" not in trailers


def test_the_clone_follows_when_it_is_on_the_branch(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.promote(ONE.version, "--yes")
    assert git(releases.clone, "rev-parse", "HEAD") == releases.tip
    assert git(releases.clone, "status", "--porcelain") == ""


def test_a_clone_on_another_branch_stays_there(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    git(releases.clone, "switch", "--quiet", "-c", "mine")
    head = git(releases.clone, "rev-parse", "HEAD")
    ran = releases.promote(ONE.version, "--yes")
    assert ran.code == 0, ran.said
    assert git(releases.clone, "rev-parse", "HEAD") == head
    assert "git pull" in ran.err


def test_one_commit_moves_every_service_that_was_built_as_the_version(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.deliver(TV_FRONTEND, ONE)
    releases.registry.push(TOURNAMENTS, ONE, "dev")
    before = releases.tip
    ran = releases.promote(ONE.version, "--yes")
    assert ran.code == 0, ran.said
    assert git(releases.origin, "rev-list", "--count", f"{before}..main") == "1"
    for service in (TV_API, TV_FRONTEND, TOURNAMENTS):
        assert releases.runs("prod", service) == version_text(service, ONE)
    assert [row["service"] for row in releases.history("--environment", "prod")] == [
        TOURNAMENTS,
        TV_API,
        TV_FRONTEND,
    ]


def test_a_named_service_is_promoted_alone(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.deliver(TV_FRONTEND, ONE)
    assert releases.promote(ONE.version, f"--service={TV_API}", "--yes").code == 0
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    assert ONE.version not in releases.runs("prod", TV_FRONTEND)


def test_from_dev_takes_what_dev_runs_in_one_commit(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.deliver(TV_API, TWO)
    releases.registry.push(LEADERBOARD, ONE, "dev", minutes_ago=9)
    releases.registry.push(LEADERBOARD, TWO, "dev")
    before = releases.tip
    ran = releases.promote("--from-dev", "--yes")
    assert ran.code == 0, ran.said
    assert git(releases.origin, "rev-list", "--count", f"{before}..main") == "1"
    assert releases.runs("prod", TV_API) == version_text(TV_API, TWO)
    assert releases.runs("prod", LEADERBOARD) == version_text(LEADERBOARD, TWO)


def test_of_a_keel_service_the_version_behind_the_moving_tag_is_promoted(
    releases: ReleaseRepository,
) -> None:
    releases.registry.push(TOURNAMENTS, ONE, "dev", minutes_ago=20)
    releases.registry.push(TOURNAMENTS, TWO, "dev", minutes_ago=10)
    ran = releases.promote("--from-dev", "--service", "tournaments", "--yes")
    assert ran.code == 0, ran.said
    assert releases.runs("prod", TOURNAMENTS) == version_text(TOURNAMENTS, TWO)


def test_what_was_verified_ran_on_dev_and_what_was_only_pushed_before_did_not(
    releases: ReleaseRepository,
) -> None:
    releases.registry.push(TOURNAMENTS, ONE, minutes_ago=20)
    releases.registry.push(TOURNAMENTS, TWO, "dev", minutes_ago=10)
    ran = releases.promote(ONE.version, "--service", "tournaments", "--yes")
    assert (ran.code, "never ran on dev" in ran.err) == (4, True), ran.said
    releases.registry.push(TOURNAMENTS, ONE, f"verified-{ONE.version}", minutes_ago=20)
    ran = releases.promote(ONE.version, "--service", "tournaments", "--yes")
    assert ran.code == 0, ran.said


def test_the_rendered_difference_is_shown_before_anything_happens(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.promote(ONE.version, "--yes")
    releases.deliver(TV_API, TWO)
    ran = releases.promote(TWO.version, "--dry-run")
    assert ran.code == 0, ran.said
    changed = [line.split()[-1] for line in ran.out.splitlines() if line.startswith(("+", "-"))]
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/streaming/tv-api"
    assert f"{image}:{ONE.version}@{ONE.digest}" in changed
    assert f"{image}:{TWO.version}@{TWO.digest}" in changed
    assert f"{ONE.version} -> {TWO.version}" in ran.out


def test_a_dry_run_changes_nothing(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--dry-run")
    assert (ran.code, "dry run" in ran.out) == (0, True)
    assert releases.snapshot() == before


def test_promoting_what_runs_already_says_so(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.promote(ONE.version, "--yes")
    before = releases.snapshot()
    for words in ((ONE.version,), ("--from-dev", "--service", "tv-api")):
        ran = releases.promote(*words, "--yes")
        assert (ran.code, ran.out) == (0, "already up to date\n")
    assert releases.snapshot() == before


def test_without_a_terminal_and_without_yes_there_is_no_promotion(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    before = releases.snapshot()
    ran = releases.promote(ONE.version)
    assert ran.code == 1
    assert "--yes" in ran.err
    assert releases.snapshot() == before


@pytest.mark.parametrize("answer", ["n\n", "\n", "nope\n", "\x04"])
def test_anything_but_yes_declines(releases: ReleaseRepository, answer: str) -> None:
    releases.deliver(TV_API, ONE)
    before = releases.snapshot()
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("Promote to prod? [y/N]")
    person.type(answer)
    assert person.end() == 1
    assert "nothing was changed" in person.seen
    assert releases.snapshot() == before


def test_a_yes_at_the_prompt_promotes_and_colours_are_for_terminals(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    person.type("y\n")
    assert person.end() == 0, person.seen
    assert "\x1b[32m" in person.seen
    assert "\x1b" not in releases.promote().out
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)


def test_an_untested_version_needs_a_flag_and_the_commit_says_so(
    releases: ReleaseRepository,
) -> None:
    releases.registry.push(TV_API, ONE)
    ran = releases.promote(ONE.version, "--service", "tv-api", "--untested", "--yes")
    assert ran.code == 0, ran.said
    assert "UNTESTED" in ran.out
    row = releases.history("--environment", "prod")[0]
    assert (row["version"], row["untested"]) == (ONE.version, True)


def test_the_flag_alone_does_not_make_a_tested_version_untested(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    assert releases.promote(ONE.version, "--untested", "--yes").code == 0
    assert releases.history("--environment", "prod")[0]["untested"] is False


def test_offline_promotes_what_git_records(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.registry.go_down()
    ran = releases.promote(ONE.version, "--offline", "--yes")
    assert ran.code == 0, ran.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)


def test_only_the_services_in_question_are_asked_about(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.promote(ONE.version, "--service", "tv-api", "--yes")
    assert len(releases.registry.calls) == 1


def test_kubectl_renders_where_there_is_no_kustomize(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    kustomize = (releases.programs / "kustomize").rename(releases.root / "real-kustomize")
    kubectl = releases.programs / "kubectl"
    kubectl.write_text(
        "#!/bin/bash\n"
        'if [[ $1 == version ]]; then echo "Kustomize Version: v5.7.1"; exit; fi\n'
        f'[[ $1 == kustomize ]] && exec "{kustomize}" build "$2"\n',
        encoding="utf-8",
    )
    kubectl.chmod(0o755)
    ran = releases.promote(ONE.version, "--yes")
    assert ran.code == 0, ran.said


def test_manifests_that_do_not_render_are_refused(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    path = version_path("prod", TV_API).replace("version/", "")
    releases.edit({path: "resources: [nowhere.yaml]\n"}, "Break it")
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--yes")
    assert ran.code == 4
    assert f"prod/{TV_API} does not render" in ran.err
    assert releases.snapshot() == before


def test_help_documents_every_exit_code(releases: ReleaseRepository) -> None:
    for script in ("promote-to-prod.sh", "rollback-prod.sh", "history.sh", "deliver.sh"):
        ran = releases.run(script, "--help")
        assert ran.code == 0
        codes = [line.split()[0] for line in ran.out.split("Exit codes:")[1].splitlines() if line]
        assert codes == ["0", "1", "2", "3", "4", "5", "70", "130"]
