"""How an image is made where that is more than `docker build .`, and hotfixes: run for real."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import tree
from release.versions import is_version
from settings.loading import load_files
from tests.scripts.release_repository import (
    CHECKOUT,
    TOURNAMENTS,
    TV_API,
    USAGE,
    Ran,
    ReleaseRepository,
    git,
)
from tests.scripts.test_pipelines import (
    Pipeline,
    Source,
    behind_moving_tag,
    build,
    built,
    jobs_of,
    source,
)

__all__ = ["source"]
BOTH = ["linux/amd64", "linux/arm64"]


def pipeline(folder: Path, service: str, **change: Any) -> Pipeline:
    """The pipeline of a service of the committed catalogue, after a change."""
    folder.mkdir()
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        (folder / file).write_bytes((CHECKOUT / file).read_bytes())
    catalogue = yaml.safe_load((CHECKOUT / "services.yaml").read_text(encoding="utf-8"))
    namespace, name = service.split("/")
    entry = catalogue["namespaces"][namespace]["services"][name]
    entry.update(change)
    (folder / "services.yaml").write_text(yaml.safe_dump(catalogue), encoding="utf-8")
    files = tree.shared(load_files("dev", folder))
    github = entry["ci"] == "github-actions"
    path = ".github/workflows/release.yml" if github else ".circleci/config.yml"
    text = files[f"pipelines/{name}/{path}"].text
    parsed = yaml.safe_load(text)
    return Pipeline(text=text, parsed=parsed, jobs=dict(jobs_of(entry["ci"], parsed)))


def on(branch: str, made: Pipeline) -> Pipeline:
    """The release job of a pipeline, for a push to that branch."""
    steps = [
        (f"CIRCLE_BRANCH={branch}\n{script}", {**variables, "BRANCH": branch})
        for script, variables in made.jobs["release"]
    ]
    return Pipeline(text=made.text, parsed=made.parsed, jobs={"release": steps})


@pytest.mark.parametrize("service", [TV_API, TOURNAMENTS])
@pytest.mark.parametrize("platforms", [BOTH[:1], BOTH])
def test_a_hotfix_is_built_promoted_and_recorded_without_touching_dev(
    releases: ReleaseRepository,
    source: Source,
    tmp_path: Path,
    service: str,
    platforms: list[str],
) -> None:
    made = pipeline(tmp_path / "p", service, hotfix=True, build={"platforms": platforms})
    usual = source.commit("Usual")
    ran = build(releases, on("main", made), source.clone())
    assert ran.code == 0, ran.said
    urgent = source.commit("Urgent", "2026-11-02T12:00:00Z")
    tip = releases.tip
    for _ in range(2):  # somebody runs it again
        ran = build(releases, on("hotfix/login", made), source.clone())
        assert ran.code == 0, ran.said
    assert releases.tip == tip
    assert behind_moving_tag(releases, service) == [usual]
    hotfix = built(releases, service, urgent)
    (image,) = [i for i in releases.registry.images(service) if urgent in i["imageTags"]]
    assert image["imageTags"] == [urgent, f"hotfix-{urgent}"]

    named = ("--service", service, "--yes")
    ran = releases.promote(urgent, *named)
    assert ran.code != 0
    assert "add --hotfix" in ran.err
    ran = releases.promote(urgent, *named, "--hotfix")
    assert ran.code == 0, ran.said
    assert "HOTFIX: it never ran on dev" in ran.out
    row = releases.history("--environment", "prod")[0]
    assert (row["version"], row["digest"]) == (urgent, hotfix.digest)
    assert (row["hotfix"], row["untested"]) == (True, False)
    assert "Release-Hotfix: true" in git(releases.origin, "log", "-1", "--format=%B", "main")
    ran = releases.promote(usual, *named, "--hotfix")
    assert f"{usual} is no hotfix" in ran.err


@pytest.mark.parametrize(
    "words", [("--from-dev",), ("v20261101-aaaaaaa",), ("v20261101-aaaaaaa", "--offline")]
)
def test_a_hotfix_is_one_version_of_named_services(
    releases: ReleaseRepository, words: tuple[str, ...]
) -> None:
    named = ("--service", "tv-api") if "--offline" in words or "--from-dev" in words else ()
    ran: Ran = releases.promote(*words, *named, "--hotfix", "--yes")
    assert ran.code == USAGE
    assert "--hotfix goes with one version and --service" in ran.err


def test_only_the_usual_branch_is_delivered(tmp_path: Path) -> None:
    github = pipeline(tmp_path / "g", TV_API, hotfix=True).parsed
    assert github[True]["push"]["branches"] == ["main", "hotfix/**"]
    assert github["jobs"]["deliver"]["if"] == "github.ref_name == 'main'"
    circle = pipeline(tmp_path / "c", TOURNAMENTS, hotfix=True).parsed
    (_, release) = circle["workflows"]["release"]["jobs"]
    assert release["release"]["filters"]["branches"]["only"] == ["main", r"/hotfix\/.*/"]
    without = pipeline(tmp_path / "w", TV_API)
    assert "hotfix" not in without.text


# --- processors and caches


@pytest.mark.parametrize(
    ("build_keys", "said"),
    [
        ({}, "docker build --pull"),
        ({"cache": True}, "docker buildx build --pull"),
        ({"platforms": BOTH}, "docker buildx build --pull"),
    ],
)
def test_buildx_is_used_where_it_is_needed(
    tmp_path: Path, build_keys: dict[str, Any], said: str
) -> None:
    text = pipeline(tmp_path / "p", TV_API, build=build_keys).text
    assert said in text
    assert ("--platform linux/amd64,linux/arm64 --push" in text) == ("platforms" in build_keys)
    assert ("--cache-to" in text) == ("cache" in build_keys)
    assert ("ref=$image:build-cache" in text) == ("cache" in build_keys)


@pytest.mark.parametrize("service", [TV_API, TOURNAMENTS])
def test_of_several_processors_the_index_is_what_the_moving_tag_gets(
    releases: ReleaseRepository, source: Source, tmp_path: Path, service: str
) -> None:
    made = pipeline(tmp_path / "p", service, build={"platforms": BOTH, "cache": True})
    version = source.commit("Fix it")
    for _ in range(2):  # the second run finds the version in the registry
        ran = build(releases, made, source.clone())
        assert ran.code == 0, ran.said
        assert behind_moving_tag(releases, service) == [version]


# --- CircleCI builds what changed


@pytest.mark.parametrize(
    ("changed", "built_anew"),
    [("services/api/x", True), ("libs/x", True), (".circleci/config.yml", True), ("web/x", False)],
)
def test_circleci_builds_what_changed_since_the_pipeline_before(
    releases: ReleaseRepository, source: Source, tmp_path: Path, changed: str, built_anew: bool
) -> None:
    keys = {"path": "services/api", "watch": ["libs"]}
    made = pipeline(tmp_path / "p", TOURNAMENTS, build=keys)
    (source.folder / "services" / "api").mkdir(parents=True)
    (source.folder / "services" / "api" / "Dockerfile").write_text("FROM scratch\n")
    git(source.folder, "add", "--all")
    source.commit("Before")
    before = git(source.folder, "rev-parse", "HEAD")
    (source.folder / changed).parent.mkdir(parents=True, exist_ok=True)
    (source.folder / changed).write_text("new\n")
    git(source.folder, "add", "--all")
    version = source.commit("After")
    for base, expected in ((before, built_anew), ("", True), ("0" * 40, True)):
        clone = source.clone()
        given = tmp_path / f"bash-env-{base[:3]}"
        given.touch()
        steps = [
            (f". {given}\n" + script.replace("<< pipeline.git.base_revision >>", base), variables)
            for script, variables in made.jobs["release"]
        ]
        jobs = {"release": [(s, {**v, "BASH_ENV": str(given)}) for s, v in steps]}
        ran = build(releases, Pipeline(text="", parsed={}, jobs=jobs), clone)
        assert ran.code == 0, ran.said
        there = [t for i in releases.registry.images(TOURNAMENTS) for t in i["imageTags"]]
        assert (version in there) == expected, ran.said
        assert [tag for tag in there if is_version(tag)] == ([version] if expected else [])


@pytest.mark.parametrize("service", [TV_API, TOURNAMENTS])
def test_the_shell_of_every_key_passes_shellcheck(tmp_path: Path, service: str) -> None:
    keys = {"path": "a b/c".replace(" ", "-"), "watch": ["libs"], "platforms": BOTH, "cache": True}
    made = pipeline(
        tmp_path / "p", service, hotfix=True, build=keys, verify={"command": "./verify"}
    )
    for number, script in enumerate(s for steps in made.jobs.values() for s, _ in steps):
        (tmp_path / f"{number}.sh").write_text(script, encoding="utf-8")
    subprocess.run(["shellcheck", "--shell=bash", *tmp_path.glob("*.sh")], check=True)
