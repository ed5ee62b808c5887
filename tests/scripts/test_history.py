"""`history.sh`: who put which version of what where, and when; from Git alone."""

from __future__ import annotations

from tests.scripts.release_repository import (
    HOST,
    LEADERBOARD,
    ONE,
    TOURNAMENTS,
    TV_API,
    TV_FRONTEND,
    TWO,
    USAGE,
    ReleaseRepository,
    git,
    version_path,
    version_text,
)


def test_a_release_is_told_in_full(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE, 'Say "hello" \\o/')
    releases.promote(ONE.version, "--yes")
    promotion, build = releases.history()
    assert promotion.pop("time") >= build.pop("time")
    assert promotion == {
        "environment": "prod",
        "service": TV_API,
        "version": ONE.version,
        "previous": None,
        "digest": ONE.digest,
        "kind": "promotion",
        "by": "Ada <ada@acme.example>",
        "untested": False,
        "subject": 'Say "hello" \\o/',
        "commit": releases.tip,
    }
    assert (build["kind"], build["by"]) == ("build", "Pipe <pipe@acme.example>")
    assert build["subject"] == 'Say "hello" \\o/'


def test_an_edit_by_hand_is_told_by_its_difference(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    releases.edit({version_path("prod", TV_API): version_text(TV_API, TWO)}, "Quick fix")
    edit = releases.history()[0]
    assert (edit["kind"], edit["by"], edit["subject"]) == (
        "edit",
        "Bo <bo@acme.example>",
        "Quick fix",
    )
    assert (edit["previous"], edit["version"], edit["digest"]) == (
        ONE.version,
        TWO.version,
        TWO.digest,
    )


def test_a_digest_changed_by_hand_is_an_event(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    text = version_text(TV_API, ONE).replace(ONE.digest, TWO.digest)
    releases.edit({version_path("prod", TV_API): text})
    assert [row["digest"] for row in releases.history()] == [TWO.digest, ONE.digest]


def test_a_trailer_does_not_vouch_for_another_version(releases: ReleaseRepository) -> None:
    releases.edit(
        {version_path("prod", TV_API): version_text(TV_API, TWO)},
        f"Sly\n\nRelease-Service: {TV_API}\nRelease-Environment: prod\n"
        f"Release-Version: {ONE.version}\nRelease-Kind: promotion\nRelease-By: Root <r@x>\n",
    )
    assert (releases.history()[0]["kind"], releases.history()[0]["by"]) == (
        "edit",
        "Bo <bo@acme.example>",
    )


def test_what_came_by_a_merge_is_told_when_it_reached_the_branch(
    releases: ReleaseRepository,
) -> None:
    clone = releases.new_clone("reviewer", "Cy")
    git(clone, "switch", "--quiet", "-c", "change")
    (clone / version_path("prod", TV_API)).write_text(version_text(TV_API, ONE), encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "-m", "In a branch")
    git(clone, "switch", "--quiet", "main")
    git(clone, "merge", "--quiet", "--no-ff", "-m", "Merge the change", "change")
    git(clone, "push", "--quiet")
    assert [(row["subject"], row["version"]) for row in releases.history()] == [
        ("Merge the change", ONE.version)
    ]


def test_a_moved_tag_of_keel_is_not_a_release_but_leaving_it_is(
    releases: ReleaseRepository,
) -> None:
    assert releases.history() == []
    text = f"images:\n  - name: {HOST}/{TOURNAMENTS}\n    newTag: latest\n"
    releases.edit({version_path("dev", TOURNAMENTS): text}, "Try latest")
    assert [(row["previous"], row["version"]) for row in releases.history()] == [("dev", "latest")]


def test_history_narrows_to_services_and_environments(releases: ReleaseRepository) -> None:
    releases.put("dev", TV_API, ONE, kind="build")
    releases.put("dev", TV_FRONTEND, ONE, kind="build")
    releases.put("prod", TV_API, ONE, kind="promotion")
    assert len(releases.history()) == 3
    assert len(releases.history("--service", "tv-api")) == 2
    assert len(releases.history("--service", TV_API, "--service", "tv-frontend")) == 3
    assert [row["environment"] for row in releases.history("--environment", "prod")] == ["prod"]
    assert len(releases.history("--limit", "1")) == 1


def test_the_table_is_for_people(releases: ReleaseRepository) -> None:
    assert releases.run("history.sh").out == "nothing was released yet\n"
    releases.deliver(TV_API, ONE, "Fix it")
    title, row = releases.run("history.sh").out.splitlines()
    assert title.split()[:5] == ["WHEN", "(UTC)", "ENV", "SERVICE", "VERSION"]
    assert title.split()[5:] == ["BEFORE", "KIND", "BY", "SUBJECT"]
    assert row.split()[2:] == ["dev", TV_API, ONE.version, "none", "build", "Pipe", "Fix", "it"]


def test_history_asks_nobody_but_git(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    for program in ("aws", "kustomize", "helm"):
        (releases.programs / program).unlink()
    assert len(releases.history()) == 1


def test_history_without_origin_says_how_old_it_is(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    git(releases.clone, "pull", "--quiet")
    releases.origin.rename(releases.root / "away")
    ran = releases.run("history.sh")
    assert (ran.code, ONE.version in ran.out) == (0, True), ran.said
    assert "cannot reach origin" in ran.err
    assert "last knew" in ran.err


def test_history_refuses_what_is_no_name(releases: ReleaseRepository) -> None:
    for words in (["--service", "*; ls"], ["--environment", "moon"], ["--limit", "x"], ["tv-api"]):
        assert releases.run("history.sh", *words).code == USAGE


def test_history_changes_nothing(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    before = releases.snapshot()
    releases.run("history.sh")
    assert releases.snapshot() == before


def test_a_name_that_never_was_is_no_empty_history(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    for name in ("tv-apii", "streaming/tv-apii"):
        ran = releases.run("history.sh", "--service", name)
        assert (ran.code, f"there is and was no such service: {name}" in ran.err) == (USAGE, True)
    ran = releases.run("history.sh", "--service", "tv-frontend")
    assert (ran.code, ran.out) == (0, "nothing was released yet\n")


def test_a_file_of_the_other_packaging_beside_the_version_file_is_no_release(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    beside = version_path("dev", TV_API).replace("kustomization", "values")
    releases.edit({beside: version_text(LEADERBOARD, TWO)}, "By mistake")
    assert [row["version"] for row in releases.history()] == [ONE.version]
