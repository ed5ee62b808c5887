"""The pipelines of the services' own repositories: their text, and their steps run for real."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import tree
from settings.loading import load_files
from tests.scripts.release_repository import (
    CHECKOUT,
    HOST,
    LEADERBOARD,
    TIMEOUT,
    TOURNAMENTS,
    TV_API,
    TV_FRONTEND,
    Build,
    Ran,
    ReleaseRepository,
    git,
    make_build,
    version_text,
    write_program,
)

COMBINATIONS = {
    TV_API: ("github-actions", "commit"),
    TV_FRONTEND: ("github-actions", "keel"),
    LEADERBOARD: ("circleci", "commit"),
    TOURNAMENTS: ("circleci", "keel"),
}
GITHUB = [service for service, (ci, _) in COMBINATIONS.items() if ci == "github-actions"]
CIRCLECI = [service for service, (ci, _) in COMBINATIONS.items() if ci == "circleci"]
FOLLOWING = ("deliver",)
"""Jobs that run after the release, where a pipeline has them."""
COMMIT = [service for service, (_, delivery) in COMBINATIONS.items() if delivery == "commit"]


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The shell steps of one generated pipeline, job by job, with their variables."""

    text: str
    parsed: dict[Any, Any]
    jobs: dict[str, list[tuple[str, dict[str, str]]]] = field(default_factory=dict)


@pytest.fixture
def releases(releases: ReleaseRepository) -> ReleaseRepository:
    """A GitOps repository of the same catalogue as the pipelines."""
    told = json.loads(releases.on_origin("scripts/platform.json"))
    for service, (_, delivery) in COMBINATIONS.items():
        told["services"][service]["delivery"] = delivery
    releases.edit({"scripts/platform.json": json.dumps(told)}, "All combinations")
    return releases


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pipeline]:
    """By service: a catalogue in which all four combinations occur, rendered and parsed."""
    folder = tmp_path_factory.mktemp("combinations")
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        (folder / file).write_bytes((CHECKOUT / file).read_bytes())
    catalogue = yaml.safe_load((CHECKOUT / "services.yaml").read_text(encoding="utf-8"))
    for service, (ci, delivery) in COMBINATIONS.items():
        namespace, name = service.split("/")
        entry = catalogue["namespaces"][namespace]["services"][name]
        assert entry["ci"] == ci
        entry["delivery"] = delivery
    (folder / "services.yaml").write_text(yaml.safe_dump(catalogue), encoding="utf-8")
    files = tree.shared(load_files("dev", folder))
    found = {}
    for service, (ci, _) in COMBINATIONS.items():
        name = service.split("/")[1]
        path = ".github/workflows/release.yml" if ci == "github-actions" else ".circleci/config.yml"
        text = files[f"pipelines/{name}/{path}"].text
        parsed = yaml.safe_load(text)
        found[service] = Pipeline(text=text, parsed=parsed, jobs=dict(jobs_of(ci, parsed)))
    return found


def jobs_of(
    ci: str, parsed: dict[str, Any]
) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    for name, job in parsed["jobs"].items():
        own = job.get("env" if ci == "github-actions" else "environment", {})
        steps = []
        for step in job["steps"]:
            run = step.get("run") if isinstance(step, dict) else None
            if isinstance(run, dict):
                steps.append((run["command"], own))
            elif run:
                steps.append((run, {**own, **step.get("env", {})}))
        yield name, steps


class Source:
    """A service's own repository, with commits to build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        git(folder, "init", "--quiet", "--initial-branch", "main")
        git(folder, "config", "user.name", "Dev")
        git(folder, "config", "user.email", "dev@acme.example")
        (folder / "Makefile").write_text("test:\n\ttouch tested\n", encoding="utf-8")
        (folder / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
        git(folder, "add", "--all")

    def commit(self, subject: str, when: str = "2026-11-01T12:00:00Z") -> str:
        """The version that a build of the new commit has."""
        environment = {"GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when, "PATH": "/usr/bin:/bin"}
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", subject, env=environment)
        return f"v{when[:10].replace('-', '')}-{git(self.folder, 'rev-parse', 'HEAD')[:7]}"

    def clone(self, commit: str = "HEAD") -> Path:
        """A fresh clone, as a pipeline's checkout makes it."""
        place = Path(tempfile.mkdtemp(prefix="clone-", dir=self.folder.parent)) / "clone"
        git(self.folder.parent, "clone", "--quiet", str(self.folder), str(place))
        git(place, "checkout", "--quiet", commit)
        return place


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


def build(
    releases: ReleaseRepository, pipeline: Pipeline, clone: Path, job: str = "release"
) -> Ran:
    """Runs the shell steps of a job in `clone`, and of those that follow, until one fails."""
    said = ""
    for following in [job, *(name for name in FOLLOWING if job == "release")]:
        ran = _job(releases, pipeline, clone, following)
        said += ran.out
        if ran.code:
            return Ran(code=ran.code, out=said, err="")
    return Ran(code=0, out=said, err="")


def _job(releases: ReleaseRepository, pipeline: Pipeline, clone: Path, job: str) -> Ran:
    said = ""
    handed_over = Path(str(clone) + ".env")
    for number, (script, variables) in enumerate(pipeline.jobs.get(job, [])):
        released = dict(line.split("=", 1) for line in _lines(handed_over))
        environment = {
            **releases.environ,
            **{name: _filled(str(value), released) for name, value in variables.items()},
            "GITOPS_URL": str(releases.origin),
            "RELEASE_FILE": str(handed_over),
            "GITHUB_OUTPUT": str(clone) + ".outputs",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(clone) + ".token",
            "CIRCLE_OIDC_TOKEN_V2": "signed",
        }
        assert not any("${{" in v for v in environment.values() if "outputs.token" not in v), number
        file = Path(f"{clone}.{job}.{number}.sh")
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["bash", "-eo", "pipefail", str(file)],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        said += done.stdout + done.stderr
        if done.returncode:
            return Ran(code=done.returncode, out=said, err="")
    return Ran(code=0, out=said, err="")


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _filled(value: str, released: dict[str, str]) -> str:
    for name, text in released.items():
        value = value.replace(f"${{{{ needs.release.outputs.{name.lower()} }}}}", text)
    return value


def built(releases: ReleaseRepository, service: str, version: str) -> Build:
    """The one image of a version."""
    (image,) = [i for i in releases.registry.images(service) if version in i["imageTags"]]
    return Build(version=version, digest=image["imageDigest"])


def behind_moving_tag(releases: ReleaseRepository, service: str) -> list[str]:
    """The other tags of the image that the moving tag points at."""
    (image,) = [i for i in releases.registry.images(service) if "dev" in i["imageTags"]]
    return [tag for tag in image["imageTags"] if tag != "dev"]


@pytest.mark.parametrize("service", COMBINATIONS)
def test_a_build_pushes_the_version_and_the_moving_tag_as_one_image(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    version = source.commit("Fix it", "2026-11-01T23:30:00-05:00".replace("-05:00", "Z"))
    ran = build(releases, pipelines[service], source.clone())
    assert ran.code == 0, ran.said
    assert behind_moving_tag(releases, service) == [version]


@pytest.mark.parametrize("service", COMMIT)
def test_a_build_is_committed_to_dev_with_digest_author_and_subject(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    version = source.commit("Fix it")
    ran = build(releases, pipelines[service], source.clone())
    assert ran.code == 0, ran.said
    assert releases.runs("dev", service) == version_text(service, built(releases, service, version))
    row = releases.history()[0]
    assert (row["kind"], row["by"], row["subject"]) == ("build", "Dev <dev@acme.example>", "Fix it")


@pytest.mark.parametrize("service", ["streaming/tv-frontend", "community/tournaments"])
def test_a_build_for_keel_leaves_git_alone(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    tip = releases.tip
    source.commit("Fix it")
    assert build(releases, pipelines[service], source.clone()).code == 0
    assert releases.tip == tip
    assert "GITOPS" not in pipelines[service].text


def test_the_day_of_a_version_is_that_of_the_commit_in_utc(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source
) -> None:
    source.commit("Late", "2026-11-01T23:30:00-0500")
    assert build(releases, pipelines[TV_FRONTEND], source.clone()).code == 0
    (version,) = behind_moving_tag(releases, TV_FRONTEND)
    assert version.startswith("v20261102-")


@pytest.mark.parametrize("service", COMMIT)
def test_a_second_run_of_a_commit_delivers_the_same_image(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    version = source.commit("Fix it")
    releases.hook("pre-receive", "exit 1")
    assert build(releases, pipelines[service], source.clone()).code != 0
    first = built(releases, service, version)
    releases.hook("pre-receive", "exit 0")
    ran = build(releases, pipelines[service], source.clone())
    assert ran.code == 0, ran.said
    assert "nothing is overwritten" in ran.out
    assert built(releases, service, version) == first
    assert releases.runs("dev", service) == version_text(service, first)


def test_when_two_runs_of_a_commit_race_the_faster_ones_image_is_the_version(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source
) -> None:
    version = source.commit("Fix it")
    faster = Build(version=version, digest=make_build("faster").digest)
    images = json.dumps(
        [{"imageDigest": faster.digest, "imagePushedAt": 0, "imageTags": [version]}]
    )
    docker = (releases.programs / "docker").read_text(encoding="utf-8").splitlines()[-1]
    registry = releases.registry.folder / "streaming__tv-api.json"
    write_program(
        releases.programs / "docker",
        f"[[ $1 == build ]] && printf '%s' '{images}' >'{registry}'\n{docker}",
    )
    ran = build(releases, pipelines[TV_API], source.clone())
    assert ran.code == 0, ran.said
    assert built(releases, TV_API, version) == faster
    assert behind_moving_tag(releases, TV_API) == [version]
    assert releases.runs("dev", TV_API) == version_text(TV_API, faster)


@pytest.mark.parametrize("service", COMBINATIONS)
def test_an_older_build_that_finishes_last_does_not_move_dev_back(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    source.commit("Older")
    older = git(source.folder, "rev-parse", "HEAD")
    newer = source.commit("Newer")
    assert build(releases, pipelines[service], source.clone()).code == 0
    tip = releases.tip
    ran = build(releases, pipelines[service], source.clone(older))
    assert ran.code == 0, ran.said
    assert "newer" in ran.out
    assert behind_moving_tag(releases, service) == [newer]
    assert releases.tip == tip


@pytest.mark.parametrize("service", COMBINATIONS)
def test_an_older_build_that_cannot_fetch_does_not_move_dev_back(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    source.commit("Older", "2026-11-01T12:00:00Z")
    before = source.clone()
    git(before, "remote", "set-url", "origin", "https://127.0.0.1:9/private.git")
    newer = source.commit("Newer", "2026-11-02T12:00:00Z")
    assert build(releases, pipelines[service], source.clone()).code == 0
    tip = releases.tip
    ran = build(releases, pipelines[service], before)
    assert ran.code == 0, ran.said
    assert f"stays on {newer}" in ran.out
    assert behind_moving_tag(releases, service) == [newer]
    assert releases.tip == tip


def test_a_clone_from_before_the_newer_commit_tells_by_time(
    releases: ReleaseRepository, source: Source
) -> None:
    old = source.commit("Older", "2026-11-01T12:00:00Z")
    before = source.clone()
    git(before, "remote", "remove", "origin")
    new = source.commit("Newer", "2026-11-01T12:00:05Z")
    for version, clone in ((new, source.clone()), (old, before)):
        ran = deliver(releases, version, clone)
        assert ran.code == 0, ran.said
    assert new in releases.runs("dev", TV_API)


def test_a_newer_commit_with_an_older_clock_is_still_newer(
    releases: ReleaseRepository, source: Source
) -> None:
    first = source.commit("By a clock that is fast", "2026-11-09T12:00:00Z")
    assert deliver(releases, first, source.clone()).code == 0
    second = source.commit("By a clock that is right", "2026-11-01T12:00:00Z")
    assert deliver(releases, second, source.clone()).code == 0
    assert second in releases.runs("dev", TV_API)


def deliver(
    releases: ReleaseRepository, version: str, clone: Path, service: str = TV_API, **options: Any
) -> Ran:
    words = ("--service", service, "--version", version, "--source", str(clone))
    return releases.run("deliver.sh", *words, "--digest", make_build(version).digest, **options)


def test_two_builds_that_finish_at_once_both_arrive(
    releases: ReleaseRepository, source: Source
) -> None:
    version = source.commit("Both")
    digest = make_build(version).digest
    started = []
    for service in (TV_API, LEADERBOARD):
        words = ("--service", service, "--version", version, "--digest", digest)
        place = (releases.new_clone(service.replace("/", "-")), source.clone())
        started.append(
            releases.start("deliver.sh", *words, "--source", str(place[1]), clone=place[0])
        )
    for process in started:
        out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, out + err
    for service in (TV_API, LEADERBOARD):
        assert releases.runs("dev", service) == version_text(
            service, Build(version=version, digest=digest)
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--version", "latest"], "not a version"),
        (["--digest", "sha256:1"], "not a digest"),
        (["--source", "/nowhere"], "not a Git clone"),
        (["--service", "radio"], "no such service in dev"),
        (["--service", "tournaments"], "community/tournaments is delivered by Keel"),
        (["--version", "v20261101-0000000"], "is not a build of"),
    ],
)
def test_a_delivery_refuses_what_it_cannot_trust(
    releases: ReleaseRepository, source: Source, words: list[str], message: str
) -> None:
    version = source.commit("Fix it")
    good = {
        "--service": TV_API,
        "--version": version,
        "--digest": make_build(version).digest,
        "--source": str(source.folder),
        words[0]: words[1],
    }
    tip = releases.tip
    ran = releases.run("deliver.sh", *(word for pair in good.items() for word in pair))
    assert (ran.code, message in ran.err) == (2, True), ran.said
    assert releases.tip == tip


@pytest.mark.parametrize("service", COMBINATIONS)
def test_a_registry_that_is_down_stops_the_build(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    source.commit("Fix it")
    releases.registry.go_down()
    tip = releases.tip
    assert build(releases, pipelines[service], source.clone()).code != 0
    assert releases.tip == tip


@pytest.mark.parametrize("service", COMBINATIONS)
def test_tests_come_first_and_are_the_teams_own(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    source.commit("Fix it")
    clone = source.clone()
    assert build(releases, pipelines[service], clone, job="test").code == 0
    assert (clone / "tested").exists()
    parsed = pipelines[service].parsed
    if service in GITHUB:
        assert parsed["jobs"]["release"]["needs"] == "test"
    else:
        assert parsed["workflows"]["release"]["jobs"][1]["release"]["requires"] == ["test"]


@pytest.mark.parametrize("service", COMBINATIONS)
def test_only_the_branch_of_the_service_is_built(
    pipelines: dict[str, Pipeline], service: str
) -> None:
    parsed = pipelines[service].parsed
    if service in GITHUB:
        assert parsed[True]["push"]["branches"] == ["main"]
        assert parsed["jobs"]["release"]["if"] == "github.event_name == 'push'"
    else:
        filters = parsed["workflows"]["release"]["jobs"][1]["release"]["filters"]
        assert filters == {"branches": {"only": "main"}}


@pytest.mark.parametrize("service", GITHUB)
def test_a_workflow_may_do_no_more_than_it_must(
    pipelines: dict[str, Pipeline], service: str
) -> None:
    parsed = pipelines[service].parsed
    assert parsed["permissions"] == {}
    own = {"deliver": {"contents": "read"}} if service in COMMIT else {}
    assert {name: job["permissions"] for name, job in parsed["jobs"].items()} == {
        "test": {"contents": "read"},
        "release": {"contents": "read", "id-token": "write"},
        **own,
    }
    for job in parsed["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("service", COMMIT)
def test_what_writes_to_the_gitops_repository_has_no_way_into_aws(
    pipelines: dict[str, Pipeline], service: str
) -> None:
    deliver, release = (pipelines[service].parsed["jobs"][job] for job in ("deliver", "release"))
    assert "aws" not in str(deliver).lower()
    assert "GITOPS" not in str(release), "what reaches AWS cannot write to the GitOps repository"
    if service in CIRCLECI:
        first = next(step for step in deliver["steps"] if "run" in step)["run"]["command"]
        assert "unset CIRCLE_OIDC_TOKEN CIRCLE_OIDC_TOKEN_V2" in first


@pytest.mark.parametrize("service", COMMIT)
def test_scripts_that_somebody_pushed_later_are_not_run(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    """Whoever steals the credential of one pipeline does not get into the others."""
    evil = releases.new_clone("evil")
    for script in (evil / "scripts").rglob("*"):
        if script.is_file():
            script.write_text("#!/bin/bash\ntouch $HOME/owned\nexit 1\n", encoding="utf-8")
    (evil / "scripts" / "json.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
    git(evil, "add", "--all")
    git(evil, "commit", "--quiet", "-m", "Better scripts")
    git(evil, "push", "--quiet")
    version = source.commit("Fix it")
    build(releases, pipelines[service], source.clone())
    assert not (releases.root / "home" / "owned").exists()
    assert version in built(releases, service, version).version


@pytest.mark.parametrize("service", COMMIT)
def test_a_pipeline_whose_scripts_nobody_committed_says_so(
    releases: ReleaseRepository, pipelines: dict[str, Pipeline], source: Source, service: str
) -> None:
    jobs = {
        job: [(script, variables | {"GITOPS_PACKAGE": "0" * 40}) for script, variables in steps]
        for job, steps in pipelines[service].jobs.items()
    }
    foreign = Pipeline(text="", parsed={}, jobs=jobs)
    source.commit("Fix it")
    tip = releases.tip
    ran = build(releases, foreign, source.clone())
    assert ran.code == 1
    assert "no commit of the GitOps repository has the scripts/release/" in ran.out
    assert releases.tip == tip


@pytest.mark.parametrize("service", COMBINATIONS)
def test_aws_is_reached_by_the_services_role_and_no_stored_key(
    pipelines: dict[str, Pipeline], service: str
) -> None:
    text = pipelines[service].text
    assert f"arn:aws:iam::123456789012:role/acme-dev-ci-{service.split('/')[1]}" in text
    assert not re.search(r"access[-_]key|AKIA", text, re.IGNORECASE)
    assert f"REGISTRY_HOST: {HOST}" in text


@pytest.mark.parametrize("service", GITHUB)
def test_actions_are_pinned_by_commit(pipelines: dict[str, Pipeline], service: str) -> None:
    used = re.findall(r"uses: (\S+) # (\S+)", pipelines[service].text)
    assert len(used) == pipelines[service].text.count("uses: ") > 0
    for action, version in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version)


@pytest.mark.parametrize("service", CIRCLECI)
def test_no_here_document_is_taken_for_a_circleci_parameter(
    pipelines: dict[str, Pipeline], service: str
) -> None:
    parameters = re.findall(r"<<.*", pipelines[service].text)
    assert parameters == ["<< pipeline.project.slug >>/release # one after the other"]


@pytest.mark.parametrize("service", COMBINATIONS)
def test_the_shell_in_the_steps_passes_shellcheck(
    pipelines: dict[str, Pipeline], tmp_path: Path, service: str
) -> None:
    scripts = [script for steps in pipelines[service].jobs.values() for script, _ in steps]
    for number, script in enumerate(scripts):
        (tmp_path / f"{number}.sh").write_text(script, encoding="utf-8")
    shellcheck = Path(sys.executable).with_name("shellcheck")
    subprocess.run([shellcheck, "--shell=bash", *tmp_path.glob("*.sh")], check=True)


@pytest.mark.parametrize(
    ("schema", "services"), [("vendor.github-workflows", GITHUB), ("vendor.circle-ci", CIRCLECI)]
)
def test_pipelines_follow_the_published_schemas(
    pipelines: dict[str, Pipeline], tmp_path: Path, schema: str, services: list[str]
) -> None:
    files: list[str] = []
    for number, service in enumerate(services):
        file = tmp_path / f"{number}.yml"
        file.write_text(pipelines[service].text, encoding="utf-8")
        files.append(str(file))
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*checker, *files], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
