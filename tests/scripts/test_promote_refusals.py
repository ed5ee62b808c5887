"""`promote-to-prod.sh` refuses: one message, a documented exit code, nothing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.scripts.release_repository import (
    ONE,
    PRECONDITION,
    REMOTE,
    TOURNAMENTS,
    TV_API,
    TWO,
    UNVERIFIED,
    USAGE,
    ReleaseRepository,
    git,
    make_build,
    version_path,
    write_program,
)


@pytest.fixture
def releases(releases: ReleaseRepository) -> ReleaseRepository:
    """Rendered plainly: nothing gets as far as a rendered difference that matters."""
    releases.render_plainly()
    return releases


def refused(releases: ReleaseRepository, *words: str) -> Callable[[int, str], None]:
    """Promotes with `words`; the answer checks code and message, and that nothing changed."""
    before = releases.snapshot()
    ran = releases.promote(*words, "--yes")
    after = releases.snapshot()

    def check(code: int, message: str) -> None:
        assert message in ran.err, ran.said
        assert ran.err.count("error:") == 1, ran.err
        assert ran.code == code, ran.said
        assert after == before

    return check


@pytest.mark.parametrize(
    "version",
    [
        "v20261101-abcdef",
        "v20261101-ABCDEF0",
        "1.2.3",
        "../../etc/passwd",
        "v20261101-abcdef0/../x",
        "$(touch broken)",
        "v20261101-abcdef0; touch broken",
        "v20261101-abcdef0\nv20261101-abcdef1",
        "",
    ],
)
def test_what_is_no_version_is_refused(releases: ReleaseRepository, version: str) -> None:
    refused(releases, version)(USAGE, "not a version")
    assert not (releases.clone / "broken").exists()


@pytest.mark.parametrize("name", ["radio", "streaming/radio", "../tv-api", "$(id)", "community"])
def test_a_service_that_does_not_exist_is_refused(releases: ReleaseRepository, name: str) -> None:
    refused(releases, ONE.version, "--service", name)(USAGE, f"no such service in prod: {name}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--service"], "--service needs a value"),
        (["--force"], "unknown option"),
        ([ONE.version, TWO.version], "one version at a time"),
        ([ONE.version, "--from-dev"], "not both"),
        ([ONE.version, "--environment", "dev"], "not an environment that is promoted to"),
        ([ONE.version, "--environment", "moon"], "not an environment that is promoted to"),
    ],
)
def test_wrong_arguments_are_refused(
    releases: ReleaseRepository, words: list[str], message: str
) -> None:
    refused(releases, *words)(USAGE, message)


def test_a_version_that_nothing_has_is_refused(releases: ReleaseRepository) -> None:
    refused(releases, ONE.version)(UNVERIFIED, f"no service has the version {ONE.version}")
    refused(releases, ONE.version, "--service", "tv-api")(UNVERIFIED, "there is no version")


def test_a_digest_that_moved_is_refused(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.registry.expire(TV_API, ONE)
    moved = make_build("somebody pushed over it")
    images = moved.__class__(version=ONE.version, digest=moved.digest)
    releases.registry.push(TV_API, images)
    refused(releases, ONE.version)(UNVERIFIED, f"{ONE.version} moved: dev ran {ONE.digest}")


def test_an_image_that_the_registry_lost_is_refused(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.registry.expire(TV_API, ONE)
    refused(releases, ONE.version)(UNVERIFIED, "the registry no longer has it")


def test_a_version_that_dev_never_ran_is_refused(releases: ReleaseRepository) -> None:
    releases.registry.push(TV_API, ONE)
    refused(releases, ONE.version, "--service", "tv-api")(UNVERIFIED, "never ran on dev")


def test_a_keel_build_that_the_moving_tag_never_reached_is_refused(
    releases: ReleaseRepository,
) -> None:
    releases.registry.push(TOURNAMENTS, ONE, "dev", minutes_ago=20)
    releases.registry.push(TOURNAMENTS, TWO, minutes_ago=10)
    refused(releases, TWO.version, "--service", "tournaments")(UNVERIFIED, "never ran on dev")


def test_one_bad_service_among_several_stops_all(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    words = (ONE.version, "--service", "tv-api", "--service", "tv-frontend")
    refused(releases, *words)(UNVERIFIED, "streaming/tv-frontend: there is no version")


def test_a_silent_registry_stops_a_promotion(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.registry.go_down()
    refused(releases, ONE.version)(REMOTE, "the registry did not answer")


def test_offline_needs_a_digest_that_git_records(releases: ReleaseRepository) -> None:
    refused(releases, ONE.version, "--service", "tv-api", "--offline")(
        UNVERIFIED, "Git does not record the digest"
    )
    refused(releases, "--from-dev", "--service", "tournaments", "--offline")(
        UNVERIFIED, "only the registry knows"
    )


def test_from_dev_names_what_has_not_run_there(releases: ReleaseRepository) -> None:
    refused(releases, "--from-dev", "--service", "tv-api")(UNVERIFIED, "has not run any version")


def test_a_missing_aws_cli_is_named(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    (releases.programs / "aws").unlink()
    refused(releases, ONE.version)(REMOTE, "the AWS CLI (aws) is not installed")


def test_a_dirty_tree_is_refused(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    with (releases.clone / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("mine\n")
    refused(releases, ONE.version)(PRECONDITION, "README.md")


def test_a_forgotten_manifest_counts_as_dirty_and_a_stray_note_does_not(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    (releases.clone / "notes.txt").touch()
    forgotten = releases.clone / "environments" / "prod" / TV_API / "patch.yaml"
    forgotten.touch()
    refused(releases, ONE.version)(PRECONDITION, "patch.yaml")
    forgotten.unlink()
    assert releases.promote(ONE.version, "--yes").code == 0


@pytest.mark.parametrize("operation", ["merge", "cherry-pick", "rebase"])
def test_a_half_merged_tree_is_refused(releases: ReleaseRepository, operation: str) -> None:
    path = releases.clone / "README.md"
    git(releases.clone, "switch", "--quiet", "-c", "theirs")
    path.write_text("theirs\n", encoding="utf-8")
    git(releases.clone, "commit", "--quiet", "--all", "-m", "theirs")
    git(releases.clone, "switch", "--quiet", "main")
    path.write_text("ours\n", encoding="utf-8")
    git(releases.clone, "commit", "--quiet", "--all", "-m", "ours")
    with pytest.raises(Exception, match="returned non-zero"):
        git(releases.clone, operation, "theirs")
    refused(releases, ONE.version)(PRECONDITION, f"a {operation} is half done")


def test_another_repository_is_refused(releases: ReleaseRepository) -> None:
    (releases.clone / "scripts" / "platform.json").unlink()
    refused(releases, ONE.version)(PRECONDITION, "this is not the GitOps repository")


def test_a_folder_that_is_no_clone_is_refused(releases: ReleaseRepository) -> None:
    folder = releases.root / "copied"
    shutil.copytree(releases.clone / "scripts", folder / "scripts")
    ran = releases.promote(ONE.version, "--yes", clone=folder)
    assert (ran.code, "not the root of a Git clone" in ran.err) == (PRECONDITION, True)


def test_a_clone_without_origin_is_refused(releases: ReleaseRepository) -> None:
    git(releases.clone, "remote", "rename", "origin", "elsewhere")
    refused(releases, ONE.version)(PRECONDITION, "no remote called origin")


def test_an_origin_that_is_another_repository_is_refused(releases: ReleaseRepository) -> None:
    other = releases.root / "other"
    git(releases.root, "init", "--quiet", "--initial-branch", "main", str(other))
    identity = ("-c", "user.name=x", "-c", "user.email=x@acme.example")
    git(other, *identity, "commit", "--quiet", "--allow-empty", "-m", "other")
    git(releases.clone, "remote", "set-url", "origin", str(other))
    refused(releases, ONE.version)(PRECONDITION, "is not a GitOps repository")


def test_an_origin_out_of_reach_is_refused(releases: ReleaseRepository) -> None:
    git(releases.clone, "remote", "set-url", "origin", str(releases.root / "gone.git"))
    refused(releases, ONE.version)(REMOTE, "cannot reach origin")


def test_a_remote_that_refuses_is_quoted(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.hook("pre-receive", "echo 'only on weekdays' >&2; exit 1")
    refused(releases, ONE.version)(REMOTE, "only on weekdays")
    ran = releases.promote(ONE.version, "--service", "tv-api", "--yes")
    assert "hint:" not in ran.said, "Git's own advice hides the reason"


def test_a_missing_kustomize_is_named(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    (releases.programs / "kustomize").unlink()
    write_program(releases.programs / "kubectl", "exit 1")
    refused(releases, ONE.version)(PRECONDITION, "kubectl with kustomize of unknown version")


@pytest.mark.parametrize("version", ["v4.5.7", "{Version:kustomize/v3.8.1 GitCommit:0b3 }"])
def test_a_kustomize_that_is_too_old_is_named(releases: ReleaseRepository, version: str) -> None:
    releases.deliver(TV_API, ONE)
    write_program(releases.programs / "kustomize", f"echo '{version}'")
    write_program(releases.programs / "kubectl", "echo 'Kustomize Version: v4.5.7'")
    refused(releases, ONE.version)(PRECONDITION, "install kustomize 5.0.0 or newer")


def test_a_missing_helm_is_named_for_a_chart(releases: ReleaseRepository) -> None:
    releases.registry.push("community/leaderboard", ONE, "dev")
    (releases.programs / "helm").unlink()
    refused(releases, ONE.version)(PRECONDITION, "helm is not installed")


def test_a_person_without_a_name_is_refused(releases: ReleaseRepository) -> None:
    git(releases.clone, "config", "--unset", "user.email")
    refused(releases, ONE.version)(PRECONDITION, "Git does not know who you are")


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("file", UNVERIFIED, f"environments/prod/{TV_API}/version is no folder"),
        ("folder", UNVERIFIED, f"{version_path('prod', TV_API)} is a folder"),
        ("submodule", PRECONDITION, f"would change environments/prod/{TV_API}/version too"),
        ("link", UNVERIFIED, f"environments/prod/{TV_API}/version is no folder"),
    ],
)
def test_what_stands_in_the_place_of_a_version_file_is_named(
    releases: ReleaseRepository, what: str, code: int, message: str
) -> None:
    releases.deliver(TV_API, ONE)
    elsewhere = releases.root / "elsewhere"
    file = elsewhere / version_path("prod", TV_API)
    shutil.rmtree(file.parent)
    if what == "file":
        file.parent.write_text("v1\n", encoding="utf-8")
    elif what == "folder":
        file.mkdir(parents=True)
        (file / "x").touch()
    elif what == "link":
        file.parent.symlink_to("../../tv-frontend/version")
    git(elsewhere, "add", "--all")
    if what == "submodule":
        place = file.parent.relative_to(elsewhere)
        git(elsewhere, "update-index", "--add", "--cacheinfo", f"160000,{releases.tip},{place}")
    git(elsewhere, "commit", "--quiet", "-m", "Odd")
    git(elsewhere, "push", "--quiet")
    refused(releases, ONE.version, "--service", "tv-api")(code, message)
