"""`rollback-prod.sh`: back to the version before, or to a named one."""

from __future__ import annotations

import pytest

from tests.scripts.release_repository import (
    DECLINED,
    LEADERBOARD,
    ONE,
    THREE,
    TV_API,
    TV_FRONTEND,
    TWO,
    UNVERIFIED,
    Build,
    ReleaseRepository,
    git,
    make_build,
    version_path,
    version_text,
)


@pytest.fixture
def promoted(releases: ReleaseRepository) -> ReleaseRepository:
    """Prod ran three versions of tv-api, one after the other."""
    releases.render_plainly()
    for build in (ONE, TWO, THREE):
        releases.registry.push(TV_API, build)
        releases.put("prod", TV_API, build, kind="promotion")
    return releases


def expect(releases: ReleaseRepository, build: Build) -> None:
    assert releases.runs("prod", TV_API) == version_text(TV_API, build)


def test_a_service_goes_back_to_the_version_before(promoted: ReleaseRepository) -> None:
    ran = promoted.rollback("--service", "tv-api", "--yes")
    assert ran.code == 0, ran.said
    assert f"{THREE.version} -> {TWO.version}" in ran.out
    assert f"{TV_API}:{TWO.version}@{TWO.digest}" in ran.out
    expect(promoted, TWO)
    newest = promoted.history("--environment", "prod")[0]
    assert (newest["kind"], newest["previous"]) == ("rollback", THREE.version)
    assert newest["by"] == "Ada <ada@acme.example>"


def test_going_back_twice_goes_back_two_versions(promoted: ReleaseRepository) -> None:
    promoted.rollback("--service", "tv-api", "--yes")
    promoted.rollback("--service", "tv-api", "--yes")
    expect(promoted, ONE)


def test_after_a_rollback_and_a_new_promotion_the_way_back_skips_what_was_rolled_back(
    promoted: ReleaseRepository,
) -> None:
    promoted.rollback("--service", "tv-api", "--yes")
    four = make_build("4", "20261104")
    promoted.deliver(TV_API, four)
    promoted.bring(four.version)
    promoted.rollback("--service", "tv-api", "--yes")
    expect(promoted, TWO)


def test_a_version_that_prod_ran_can_be_named(promoted: ReleaseRepository) -> None:
    assert promoted.rollback(ONE.version, "--service", "tv-api", "--yes").code == 0
    expect(promoted, ONE)


def test_a_version_alone_means_every_service_that_ran_it(promoted: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        promoted.registry.push(TV_FRONTEND, build)
        promoted.put("prod", TV_FRONTEND, build, kind="promotion")
    before = promoted.tip
    assert promoted.rollback(ONE.version, "--yes").code == 0
    expect(promoted, ONE)
    assert promoted.runs("prod", TV_FRONTEND) == version_text(TV_FRONTEND, ONE)
    assert git(promoted.origin, "rev-list", "--count", f"{before}..main") == "1"


def test_a_chart_goes_back_too(releases: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        releases.registry.push(LEADERBOARD, build)
        releases.put("prod", LEADERBOARD, build, kind="promotion")
    assert releases.rollback("--service", "leaderboard", "--yes").code == 0
    assert releases.runs("prod", LEADERBOARD) == version_text(LEADERBOARD, ONE)


def test_a_rollback_works_when_the_registry_is_unreachable(promoted: ReleaseRepository) -> None:
    promoted.registry.go_down()
    ran = promoted.rollback("--service", "tv-api", "--yes")
    assert ran.code == 0, ran.said
    assert "continuing with the digests that Git records" in ran.err
    expect(promoted, TWO)


def test_a_rollback_does_not_ask_the_registry_offline(promoted: ReleaseRepository) -> None:
    assert promoted.rollback("--service", "tv-api", "--offline", "--yes").code == 0
    assert promoted.registry.calls == []


def test_without_arguments_the_ways_back_are_listed(promoted: ReleaseRepository) -> None:
    before = promoted.snapshot()
    ran = promoted.rollback()
    assert ran.code == 0, ran.said
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()[1:5]}
    assert rows[TV_API] == [THREE.version, TWO.version]
    assert rows[TV_FRONTEND] == ["none", "-"]
    assert promoted.snapshot() == before


def test_an_edit_by_hand_is_a_version_to_go_back_from(promoted: ReleaseRepository) -> None:
    by_hand = make_build("hand", "20261105")
    promoted.edit({version_path("prod", TV_API): version_text(TV_API, by_hand)})
    assert promoted.rollback("--service", "tv-api", "--yes").code == 0
    expect(promoted, THREE)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--service", "tv-frontend"], "there is no version before none"),
        ([make_build("x").version], f"prod never ran {make_build('x').version}"),
        ([make_build("x").version, "--service", "tv-api"], "prod never ran"),
    ],
)
def test_there_is_no_way_back_to_what_never_ran(
    promoted: ReleaseRepository, words: list[str], message: str
) -> None:
    before = promoted.snapshot()
    ran = promoted.rollback(*words, "--yes")
    assert (ran.code, message in ran.err) == (UNVERIFIED, True), ran.said
    assert promoted.snapshot() == before


def test_the_first_version_has_none_before_it(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    ran = releases.rollback("--service", "tv-api", "--yes")
    assert (ran.code, "there is no version before" in ran.err) == (UNVERIFIED, True)


def test_an_image_that_is_gone_or_moved_is_refused(promoted: ReleaseRepository) -> None:
    promoted.registry.expire(TV_API, TWO)
    before = promoted.snapshot()
    ran = promoted.rollback("--service", "tv-api", "--yes")
    assert (ran.code, "no longer has" in ran.err) == (UNVERIFIED, True), ran.said
    promoted.registry.push(TV_API, Build(version=TWO.version, digest=make_build("new").digest))
    ran = promoted.rollback("--service", "tv-api", "--yes")
    assert (ran.code, "moved" in ran.err) == (UNVERIFIED, True), ran.said
    assert promoted.snapshot() == before


def test_going_back_to_what_runs_is_up_to_date(promoted: ReleaseRepository) -> None:
    ran = promoted.rollback(THREE.version, "--service", "tv-api", "--yes")
    assert (ran.code, ran.out) == (0, "already up to date\n")


def test_a_rollback_needs_consent_and_a_clean_clone(promoted: ReleaseRepository) -> None:
    assert promoted.rollback("--service", "tv-api").code == DECLINED
    (promoted.clone / "README.md").write_text("mine\n", encoding="utf-8")
    assert promoted.rollback("--service", "tv-api", "--yes").code == 3
    expect(promoted, THREE)
