"""What a release promises: what is shown is what is applied, where it goes, what comes back."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.scripts.release_repository import (
    FAULT,
    ONE,
    PRECONDITION,
    REMOTE,
    TV_API,
    TV_FRONTEND,
    TWO,
    UNVERIFIED,
    Build,
    ReleaseRepository,
    Terminal,
    git,
    make_build,
    version_path,
    version_text,
)

BASE = f"base/{TV_API}/deployment.yaml"
RENDERED = f"rendered/prod/{TV_API}/deployment-tv-api.yaml"


def in_base(releases: ReleaseRepository, level: str = "new-db.internal") -> None:
    """Somebody changes the base of tv-api on main."""
    text = releases.on_origin(BASE)
    more = (
        f"            - name: DATABASE_HOST\n              value: {level}\n            - name: PORT"
    )
    releases.edit({BASE: text.replace("            - name: PORT", more) + "\n"}, "The new database")


# --- what is shown is what is applied


def test_an_edit_of_the_base_reaches_prod_with_a_release_and_is_shown(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.bring(ONE.version)
    before = releases.on_origin(RENDERED)
    in_base(releases)
    assert releases.on_origin(RENDERED) == before
    releases.deliver(TV_API, TWO)
    ran = releases.promote(TWO.version, "--yes")
    assert ran.code == 0, ran.said
    after = releases.on_origin(RENDERED)
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    shown = [line[1:] for line in ran.out.splitlines() if line.startswith("+") and line[1] == " "]
    assert shown == added
    assert any("new-db.internal" in line for line in shown)


def test_the_same_version_again_brings_the_configuration_only(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.bring(ONE.version)
    in_base(releases)
    ran = releases.promote(ONE.version, "--service", "tv-api", "--yes")
    assert (ran.code, "configuration only" in ran.out) == (0, True), ran.said
    assert "new-db.internal" in releases.on_origin(RENDERED)
    row = releases.history("--environment", "prod")[0]
    assert (row["kind"], row["version"], row["previous"]) == ("promotion", ONE.version, ONE.version)
    ran = releases.rollback("--service", "tv-api", "--yes")
    assert ran.code == 0, ran.said
    assert "new-db.internal" not in releases.on_origin(RENDERED)


def test_a_rollback_brings_back_all_that_ran_and_says_what_moved_on(
    releases: ReleaseRepository,
) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    ran_then = git(releases.origin, "show", f"main~2:{RENDERED}")
    in_base(releases)
    (releases.programs / "kustomize").unlink()  # what ran is in Git, and needs no rendering
    ran = releases.rollback("--service", "tv-api", "--yes")
    assert ran.code == 0, ran.said
    assert releases.on_origin(RENDERED) == ran_then
    assert "base or overlay moved on since" in ran.out


def test_a_broken_neighbour_blocks_nobody(releases: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    overlay = f"environments/prod/{TV_FRONTEND}"
    releases.edit({f"{overlay}/kustomization.yaml": "resources: [nowhere.yaml]\n"})
    releases.edit({version_path("prod", TV_FRONTEND): "<<<<<<< HEAD\n"})
    assert releases.rollback("--service", "tv-api", "--yes").code == 0
    releases.bring(TWO.version)


def test_a_promotion_whose_image_is_not_rendered_is_refused(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    text = releases.on_origin(BASE)
    releases.edit({BASE: text.replace("123456789012.dkr.ecr", "mirror") + "\n"}, "A mirror")
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--yes")
    assert (ran.code, "does not run" in ran.err) == (UNVERIFIED, True), ran.said
    assert releases.snapshot() == before


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        (BASE, "kind: Deployment", "kind: StatefulSet", "matches nothing"),
        (f"base/{TV_API}/service.yaml", "kind: Service\n", "kind: Secret\n", "does not allow"),
    ],
)
def test_what_would_be_lost_or_refused_is_named_by_the_release_and_the_check(
    releases: ReleaseRepository, path: str, old: str, new: str, problem: str
) -> None:
    releases.deliver(TV_API, ONE)
    releases.edit({path: releases.on_origin(path).replace(old, new) + "\n"})
    ran = releases.promote(ONE.version, "--yes")
    assert (ran.code, problem in ran.err) == (UNVERIFIED, True), ran.said
    git(releases.clone, "pull", "--quiet")
    ran = releases.run("render.sh", "--check")
    assert (ran.code, problem in ran.err) == (UNVERIFIED, True), ran.said


# --- carrying over, and what only releases write


def test_an_environment_is_carried_over_without_a_change_of_what_runs(
    releases: ReleaseRepository,
) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")
    releases.registry.push(TV_API, ONE)
    git(releases.clone, "pull", "--quiet")
    ran = releases.run("render.sh", "--write", "prod")
    assert ran.code == 0, ran.said
    git(releases.clone, "add", "--all")
    git(releases.clone, "commit", "--quiet", "-m", "Rendered manifests of prod as they run")
    assert releases.run("render.sh", "--check").code == 0
    git(releases.clone, "push", "--quiet")
    assert f"{ONE.version}@{ONE.digest}" in releases.on_origin(RENDERED)
    assert releases.on_origin(version_path("prod", TV_API)) + "\n" == version_text(TV_API, ONE)
    kept = git(releases.clone, "ls-files", "rendered/prod/*/.gitkeep").splitlines()
    assert len(kept) == 4, "what the generator wrote there stays"
    assert [row["kind"] for row in releases.history()] == ["promotion"]
    ran = releases.promote(ONE.version, "--service", "tv-api", "--yes")
    assert (ran.code, ran.out) == (0, "already up to date\n"), ran.said


def test_an_edit_below_rendered_is_refused_by_the_check_and_a_release_is_not(
    releases: ReleaseRepository,
) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    assert releases.run("render.sh", "--check").code == 0
    assert releases.rollback("--service", "tv-api", "--yes").code == 0
    assert releases.run("render.sh", "--check").code == 0
    file = releases.clone / RENDERED
    file.write_text(file.read_text().replace("replicas: 2", "replicas: 0"), encoding="utf-8")
    git(releases.clone, "commit", "--quiet", "--all", "-m", "Innocent")
    ran = releases.run("render.sh", "--check")
    assert (ran.code, RENDERED.rpartition("/")[0] in ran.err) == (UNVERIFIED, True), ran.said


# --- only the repository that Argo CD reads


@pytest.mark.parametrize("name", ["0/refs/heads/main", "main\u2028x", "main\x85x"])
def test_a_branch_that_is_only_named_like_main_is_not_main(
    releases: ReleaseRepository, name: str
) -> None:
    releases.deliver(TV_API, ONE)
    mallory = releases.new_clone("mallory", "Mallory")
    (mallory / "README.md").write_text("unreviewed\n", encoding="utf-8")
    git(mallory, "commit", "--quiet", "--all", "-m", "Innocent")
    git(mallory, "push", "--quiet", "origin", f"HEAD:refs/heads/{name}")
    releases.bring(ONE.version)
    assert "unreviewed" not in releases.on_origin("README.md")


def test_what_was_removed_from_main_while_somebody_looks_does_not_come_back(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    kept = releases.tip
    releases.edit({"leaked-key": "secret\n"}, "Oops")
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for("[y/N]")
    git(releases.origin, "update-ref", "refs/heads/main", kept)
    person.type("y\n")
    assert person.end() == 0, person.seen
    assert version_text(TV_API, ONE) == releases.runs("prod", TV_API)
    with pytest.raises(subprocess.CalledProcessError):
        releases.on_origin("leaked-key")


def test_a_fork_is_not_released_to(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    fork = releases.root / "fork.git"
    git(releases.root, "clone", "--quiet", "--bare", str(releases.origin), str(fork))
    tip = git(fork, "rev-parse", "main")
    git(releases.clone, "config", "remote.origin.pushurl", str(fork))
    releases.bring(ONE.version)
    git(releases.clone, "remote", "set-url", "origin", str(fork))
    assert releases.rollback(ONE.version, "--service", TV_API, "--yes").code == 0
    releases.deliver(TV_API, TWO)
    releases.bring(TWO.version)
    assert git(fork, "rev-parse", "main") == tip
    assert releases.runs("prod", TV_API) == version_text(TV_API, TWO)


def test_a_branch_that_was_renamed_and_left_behind_is_not_released_to_without_a_look(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    for branch, address in (("release", None), ("fork", "https://example.org/other.git")):
        elsewhere = releases.new_clone(branch, "Bo")
        told = json.loads(releases.on_origin("scripts/platform.json"))
        told["git"]["branch"] = branch
        told["git"]["url"] = address or told["git"]["url"]
        (elsewhere / "scripts/platform.json").write_text(json.dumps(told), encoding="utf-8")
        git(elsewhere, "commit", "--quiet", "--all", "-m", "Another branch")
        git(elsewhere, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    git(elsewhere, "push", "--quiet", "origin", "HEAD~:refs/heads/a-change")
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--yes")
    says = "origin's main says that Argo CD reads main, and release too"
    assert (ran.code, says in ran.err) == (PRECONDITION, True), ran.said
    assert releases.snapshot() == before
    person = Terminal(releases, "promote-to-prod.sh", ONE.version)
    person.wait_for(f"warning: {says}")
    person.wait_for("[y/N]")
    person.type("y\n")
    assert person.end() == 0, person.seen


def test_a_push_that_did_not_reach_main_is_no_release(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    tip = releases.tip
    releases.hook("post-receive", f"git update-ref refs/heads/main {tip}")
    before = releases.snapshot()
    ran = releases.promote(ONE.version, "--yes")
    assert (ran.code, "does not have the commit" in ran.err) == (REMOTE, True), ran.said
    assert releases.snapshot() == before


def test_a_shallow_clone_knows_the_whole_past(releases: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    shallow = releases.root / "shallow"
    git(releases.root, "clone", "--quiet", "--depth", "1", f"file://{releases.origin}", "shallow")
    git(shallow, "config", "user.name", "Ada")
    git(shallow, "config", "user.email", "ada@acme.example")
    ran = releases.rollback("--service", "tv-api", "--yes", clone=shallow)
    assert ran.code == 0, ran.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)


@pytest.mark.parametrize("how", ["--depth=1", "--depth=2", "--filter=blob:none", "--filter=tree:0"])
def test_a_check_in_a_clone_without_its_past_is_none(releases: ReleaseRepository, how: str) -> None:
    git(releases.origin, "config", "uploadpack.allowFilter", "true")
    releases.edit({"notes.md": "By hand\n"})
    git(releases.root, "clone", "--quiet", how, f"file://{releases.origin}", "part")
    ran = releases.run("render.sh", "--check", clone=releases.root / "part")
    assert (ran.code, "this clone is shallow or partial" in ran.err) == (PRECONDITION, True)


@pytest.mark.parametrize("what", ["rendered", "environments/prod", version_path("prod", TV_API)])
def test_a_clone_that_has_lost_something_is_no_past_without_it(
    releases: ReleaseRepository, what: str
) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
    releases.bring(ONE.version, TWO.version)
    lost = git(releases.clone, "rev-parse", f"HEAD~1:{what}")
    (releases.clone / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    for words in (["history.sh"], ["rollback-prod.sh", "--service", "tv-api", "--yes"]):
        before = releases.snapshot()
        ran = releases.run(*words)
        assert (ran.code, releases.snapshot()) == (PRECONDITION, before), ran.said
        assert "error: the history cannot be read: " in ran.err
        assert lost in ran.err


def test_scripts_that_are_not_those_of_main_hand_over(releases: ReleaseRepository) -> None:
    path = "scripts/release/usage.py"
    text = releases.on_origin(path)
    assert "Who released which version" in text
    releases.edit({path: text.replace("Who released which version", "The newest words") + "\n"})
    releases.edit(
        {
            "scripts/release/historycommand.py": releases.on_origin(
                "scripts/release/historycommand.py"
            ).replace("nothing was released yet", "nothing at all")
        }
    )
    ran = releases.run("history.sh")
    assert (ran.code, ran.out) == (0, "nothing at all\n"), ran.said
    assert "running origin's" in ran.err
    assert not list((releases.root / "temporary").iterdir())


def test_scripts_that_somebody_broke_on_main_are_told_without_a_traceback(
    releases: ReleaseRepository,
) -> None:
    releases.edit({"scripts/release/plan.py": "broken (\n"})
    before = releases.snapshot()
    ran = releases.run("history.sh")
    assert (ran.code, releases.snapshot()) == (PRECONDITION, before)
    assert "error: the scripts on origin are broken: " in ran.err
    assert "(plan.py, line 1)" in ran.err
    git(releases.clone, "pull", "--quiet")
    ran = releases.run("history.sh")
    assert (ran.code, ran.err.count("error:"), "Traceback" in ran.err) == (FAULT, 1, False)
    assert "the scripts are broken: SyntaxError: " in ran.err


# --- the gate


def test_what_was_promoted_untested_is_no_proof_the_second_time(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.bring(ONE.version)
    releases.registry.push(TV_API, TWO)
    words = (TWO.version, "--service", "tv-api", "--yes")
    assert releases.promote(*words, "--untested").code == 0
    assert releases.rollback("--service", "tv-api", "--yes").code == 0
    ran = releases.promote(*words)
    assert (ran.code, "never ran on dev" in ran.err) == (UNVERIFIED, True), ran.said


def test_from_dev_takes_nothing_newer_off_prod_without_being_asked(
    releases: ReleaseRepository,
) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
    releases.bring(TWO.version)
    releases.put("dev", TV_API, ONE, kind="build")
    ran = releases.promote("--from-dev", "--yes")
    assert (ran.code, "which is newer than" in ran.err) == (UNVERIFIED, True), ran.said
    assert "GOES BACK" in releases.promote("--from-dev", "--dry-run").out
    assert releases.promote(ONE.version, "--service", "tv-api", "--yes").code == 0


def test_from_dev_tells_of_changes_of_the_configuration_and_brings_them_on_request(
    releases: ReleaseRepository,
) -> None:
    releases.deliver(TV_API, ONE)
    releases.bring(ONE.version)
    assert releases.promote("--from-dev", "--yes").out == "already up to date\n"
    in_base(releases)
    ran = releases.promote("--from-dev", "--yes")
    assert ran.out == (
        "left out, because only their base or overlay changed: streaming/tv-api; to bring that "
        "too: --configuration\nalready up to date\n"
    )
    ran = releases.promote("--from-dev", "--configuration", "--yes")
    assert (ran.code, "configuration only" in ran.out) == (0, True), ran.said
    assert "new-db.internal" in releases.on_origin(RENDERED)
    assert releases.promote("--from-dev", "--configuration", "--yes").out == "already up to date\n"


def test_a_version_file_that_a_hand_moved_is_mended_and_that_is_said(
    releases: ReleaseRepository,
) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    path = version_path("prod", TV_API)
    evil = Build(version=TWO.version, digest=make_build("evil").digest)
    for mend in (releases.promote, releases.rollback):
        releases.edit({path: version_text(TV_API, evil)}, "Quick fix")
        ran = mend(TWO.version, "--service", "tv-api", "--yes")
        assert (ran.code, "tv-api: only its version file is written anew" in ran.out) == (0, True)
        assert releases.runs("prod", TV_API) == version_text(TV_API, TWO)
    releases.edit({path: version_text(TV_API, evil)}, "Quick fix")
    assert releases.rollback("--service", "tv-api", "--yes").code == 0
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    releases.edit({path: version_text(TV_API, TWO)}, "Quick promotion")
    listed = releases.promote("--service", "tv-api").out.splitlines()
    assert [line.split()[0] for line in listed if " prod" in line] == [ONE.version]
    ran = releases.promote("--from-dev", "--yes")
    assert f"its version file was edited to {TWO.version}; {ONE.version} runs" in ran.out
    assert f"{ONE.version} -> {TWO.version}\n" in ran.out
    assert f"{TWO.version}@{TWO.digest}" in releases.on_origin(RENDERED)


def test_a_rollback_never_goes_forward(releases: ReleaseRepository) -> None:
    for build in (ONE, TWO):
        releases.deliver(TV_API, build)
        releases.bring(build.version)
    assert releases.rollback("--service", "tv-api", "--yes").code == 0
    for words in ((TWO.version, "--service", "tv-api"), (TWO.version,)):
        ran = releases.rollback(*words, "--yes")
        assert (ran.code, "is not before" in ran.err) == (UNVERIFIED, True), ran.said


def test_whom_a_trailer_names_is_told_beside_who_committed(releases: ReleaseRepository) -> None:
    releases.put("prod", TV_API, ONE, kind="promotion")  # by Pipe, says Bo's commit
    row = releases.history()[0]
    assert (row["by"], row["committer"]) == ("Pipe <pipe@acme.example>", "Bo <bo@acme.example>")
    assert "Pipe (committed by Bo)" in releases.run("history.sh").out


def configure(releases: ReleaseRepository, **prod: str) -> None:
    told = json.loads(releases.on_origin("scripts/platform.json"))
    told["environments"]["prod"] |= prod
    told["services"][TV_API]["verify"] = True
    releases.edit({"scripts/platform.json": json.dumps(told)}, "Configure")


def test_a_service_that_asks_for_verification_gets_it_or_a_flag(
    releases: ReleaseRepository,
) -> None:
    configure(releases)
    releases.deliver(TV_API, ONE)
    words = (ONE.version, "--service", "tv-api", "--yes")
    ran = releases.promote(*words)
    assert (ran.code, f"verified-{ONE.version}" in ran.err) == (UNVERIFIED, True), ran.said
    assert releases.promote(*words, "--unverified").code == 0
    assert releases.history("--environment", "prod")[0]["unverified"] is True
    releases.registry.push(TV_API, TWO, "dev", f"verified-{TWO.version}")
    releases.put("dev", TV_API, TWO, kind="build")
    releases.bring(TWO.version)


def scanned(releases: ReleaseRepository, status: str, counts: dict[str, int]) -> None:
    """The registry has a scan of the one image of tv-api."""
    file = releases.registry.folder / "streaming__tv-api.json"
    images = json.loads(file.read_text(encoding="utf-8"))
    images[0]["scan"] = scan(counts, status)
    file.write_text(json.dumps(images), encoding="utf-8")


@pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
def test_a_scan_that_found_nothing_so_bad_lets_an_image_pass(
    releases: ReleaseRepository, status: str
) -> None:
    configure(releases, refuse="high")
    releases.deliver(TV_API, ONE)
    scanned(releases, status, {"MEDIUM": 3, "UNDEFINED": 1})
    assert releases.promote(ONE.version, "--service", "tv-api", "--unverified", "--yes").code == 0


def test_findings_of_a_scan_are_refused_or_accepted_with_a_reason(
    releases: ReleaseRepository,
) -> None:
    configure(releases, refuse="high")
    releases.deliver(TV_API, ONE)
    words = (ONE.version, "--service", "tv-api", "--unverified", "--yes")
    ran = releases.promote(*words)
    assert (ran.code, "it was not scanned;" in ran.err) == (UNVERIFIED, True), ran.said
    scanned(releases, "IN_PROGRESS", {})
    ran = releases.promote(*words)
    assert (ran.code, "it is IN_PROGRESS: try again in a minute;" in ran.err) == (
        UNVERIFIED,
        True,
    ), ran.said
    scanned(releases, "COMPLETE", {"CRITICAL": 1, "HIGH": 2, "LOW": 9})
    ran = releases.promote(*words)
    assert (ran.code, "found 1 critical, 2 high;" in ran.err) == (UNVERIFIED, True), ran.said
    assert releases.promote(*words, "--accept-findings", "no way around").code == 0
    row = releases.history("--environment", "prod")[0]
    assert row["acceptedFindings"] == "no way around"


def test_of_an_image_for_several_platforms_the_worst_scan_counts(
    releases: ReleaseRepository,
) -> None:
    configure(releases, refuse="high")
    releases.deliver(TV_API, ONE)
    words = (ONE.version, "--service", "tv-api", "--unverified", "--yes")
    amd, arm, attested = (f"sha256:{letter * 64}" for letter in "abc")
    file = releases.registry.folder / "streaming__tv-api.json"
    index, *others = json.loads(file.read_text(encoding="utf-8"))
    index["index"] = [
        {"digest": amd, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": arm, "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": attested, "platform": {"os": "unknown", "architecture": "unknown"}},
    ]

    def scans(**counts: dict[str, int]) -> str:
        below = [
            {"imageDigest": digest, **({"scan": scan(counts[name])} if name in counts else {})}
            for name, digest in (("amd", amd), ("arm", arm))
        ]
        file.write_text(json.dumps([index, *others, *below]), encoding="utf-8")
        ran = releases.promote(*words)
        return ran.err if ran.code == UNVERIFIED else ran.said

    assert "sha256:bbbbbbbbbbbb…, which is in it: it was not scanned;" in scans(amd={})
    assert "found 1 critical, 2 high;" in scans(amd={"HIGH": 2}, arm={"CRITICAL": 1, "HIGH": 1})
    assert "promoted" in scans(amd={"LOW": 1}, arm={})


def scan(counts: dict[str, int], status: str = "COMPLETE") -> dict[str, Any]:
    return {
        "imageScanStatus": {"status": status},
        "imageScanFindings": {"findingSeverityCounts": counts},
    }
