"""The checks of the GitOps repository: its workflow, `render.sh`, and the scripts' own style."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops.version import UNRELEASED_HELM, UNRELEASED_KUSTOMIZE, released_helm
from tests.programs import program
from tests.scripts.release_repository import (
    CHECKOUT,
    LEADERBOARD,
    ONE,
    TV_API,
    TWO,
    UNVERIFIED,
    USAGE,
    ReleaseRepository,
    git,
    version_path,
    write_tree,
)

SHARED = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: shared, annotations: {}}}
data: {{a: {}}}
"""
GITHUB = ".github/workflows/render.yml"
CIRCLECI = ".circleci/config.yml"
HASHED = "{internal.config.kubernetes.io/needsHashSuffix: enabled}"
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: user}
spec:
  template:
    spec:
      containers: [{name: user, image: user}]
      volumes: [{name: shared, configMap: {name: shared}}]
"""


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated repository as files."""
    folder = tmp_path_factory.mktemp("generated")
    write_tree(folder)
    return folder


@pytest.fixture(scope="session")
def workflow(generated: Path) -> dict[Any, Any]:
    text = (generated / GITHUB).read_text(encoding="utf-8")
    parsed: dict[Any, Any] = yaml.safe_load(text)
    return parsed


@pytest.fixture(scope="session")
def circleci(generated: Path) -> dict[str, str]:
    """What the steps of CircleCI's check run, by their names."""
    parsed = yaml.safe_load((generated / CIRCLECI).read_text(encoding="utf-8"))
    steps = [step["run"] for step in parsed["jobs"]["render"]["steps"] if "run" in step]
    return {step["name"]: step["command"] for step in steps}


def test_every_script_passes_shellcheck(generated: Path) -> None:
    scripts = [*generated.glob("scripts/*.sh")]
    assert len(scripts) == 5
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, *scripts], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_scripts_are_the_same_for_every_platform(generated: Path) -> None:
    told = {path for path in generated.rglob("scripts/**/*") if path.is_file()}
    platform = generated / "scripts" / "platform.json"
    for path in told - {platform}:
        text = path.read_text(encoding="utf-8")
        assert "acme" not in text
        assert "123456789012" not in text
    assert "123456789012" in platform.read_text(encoding="utf-8")


def test_every_environment_is_rendered(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.deliver(LEADERBOARD, ONE)
    git(releases.clone, "pull", "--quiet")
    ran = releases.run("render.sh", "out")
    assert ran.code == 0, ran.said
    out = releases.clone / "out"
    assert f"/{TV_API}:{ONE.version}@{ONE.digest}" in (out / f"dev/{TV_API}.yaml").read_text()
    assert f"{ONE.version}@{ONE.digest}" in (out / f"dev/{LEADERBOARD}.yaml").read_text()
    assert (out / f"prod/{TV_API}.yaml").read_text() == ""


def test_an_older_commit_is_rendered_and_compared(releases: ReleaseRepository) -> None:
    releases.deliver(TV_API, ONE)
    releases.deliver(TV_API, TWO)
    git(releases.clone, "pull", "--quiet")
    assert releases.run("render.sh", "../before", "HEAD^1").code == 0
    assert releases.run("render.sh", "../after").code == 0
    ran = releases.run("render.sh", "--difference", "../before", "../after")
    changed = [line for line in ran.out.splitlines() if line.startswith(("+", "-"))]
    assert changed[:2] == [f"--- before/dev/{TV_API}.yaml", f"+++ after/dev/{TV_API}.yaml"]
    assert [ONE.version in changed[2], TWO.version in changed[3], len(changed)] == [True, True, 4]


def test_the_report_of_a_difference_fits_a_comment(releases: ReleaseRepository) -> None:
    for name, text in (("before", "a\n" * 50000), ("after", "b\n" * 50000)):
        (releases.clone / name).mkdir()
        (releases.clone / name / "x.yaml").write_text(text, encoding="utf-8")
    long = releases.run("render.sh", "--report", "before", "after").out
    assert len(long) < 65536
    assert "Cut here" in long
    assert long.count("``````") == 2
    same = releases.run("render.sh", "--report", "before", "before").out
    assert same.splitlines()[-1] == "Nothing."


def test_every_service_that_does_not_render_is_named(releases: ReleaseRepository) -> None:
    for environment in ("dev", "prod"):
        path = version_path(environment, TV_API).replace("version/", "")
        (releases.clone / path).write_text("resources: [nowhere.yaml]\n", encoding="utf-8")
    (releases.clone / "base" / LEADERBOARD / "Chart.yaml").write_text("name: [\n", encoding="utf-8")
    ran = releases.run("render.sh", "out")
    assert ran.code == UNVERIFIED
    for service in (f"dev/{TV_API}", f"prod/{TV_API}", f"dev/{LEADERBOARD}"):
        assert f"{service} does not render" in ran.err


def test_many_services_render_as_each_does_alone(releases: ReleaseRepository) -> None:
    names = add_services(releases, 7)
    assert releases.run("render.sh", "out").code == 0
    for name in names:
        overlay = releases.clone / "environments" / "dev" / "streaming" / name
        alone = subprocess.run(
            [releases.programs / "kustomize", "build", overlay],
            check=True,
            capture_output=True,
            text=True,
        )
        together = (releases.clone / "out" / "dev" / "streaming" / f"{name}.yaml").read_text()
        assert sorted(together.split("---\n")) == sorted(alone.stdout.split("---\n"))
        assert (together == "") is (name == names[0])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (  # two charts have an object of one name
            {1: SHARED.format("{}", "b"), 2: SHARED.format("{}", "c")},
            {1: "data:\n  a: b\nkind: ConfigMap\n", 2: "data:\n  a: c\nkind: ConfigMap\n"},
        ),
        (  # one asks kustomize for another name, and another one uses an object of the old name
            {1: SHARED.format(HASHED, "b"), 2: JOB},
            {1: "  name: shared-4h2mbtbbt6\n", 2: "- configMap:\n          name: shared\n"},
        ),
    ],
    ids=["an object of one name", "a word to kustomize"],
)
def test_many_charts_render_as_each_does_alone(
    releases: ReleaseRepository, written: dict[int, str], expected: dict[int, str]
) -> None:
    """kustomize, which spells what helm makes, gets several charts at once."""
    names = add_charts(releases, 8)
    for number, text in written.items():
        chart = releases.clone / "base" / "community" / names[number] / "templates" / "more.yaml"
        chart.write_text(text, encoding="utf-8")
    assert releases.run("render.sh", "out").code == 0
    together = [
        (releases.clone / "out" / "dev" / "community" / f"{name}.yaml").read_text()
        for name in names
    ]
    assert together[0] == ""
    for number, text in expected.items():
        assert text in together[number]
    for name, text in zip(names[3:], together[3:], strict=True):
        assert text == together[3].replace(names[3], name)
        assert text.count("kind: Deployment\n") == 1


def chart_with(folder: Path, base: dict[str, Any], overlay: dict[str, Any]) -> str:
    """What helm says of leaderboard, with a process and a migration, and those values changed."""
    settings = folder / "settings"
    settings.mkdir()
    for name in ("Pulumi.dev.yaml", "Pulumi.prod.yaml", "services.yaml"):
        content = yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))
        if name == "services.yaml":
            service = content["namespaces"]["community"]["services"]["leaderboard"]
            service["processes"] = {"worker": {"command": ["bin/worker"]}}
            service["migrate"] = ["bin/migrate"]
            service["env"] = {"BOARD": "weekly"}
        (settings / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    write_tree(folder / "tree", settings)
    chart = folder / "tree" / "base" / LEADERBOARD
    own = folder / "tree" / "environments" / "dev" / LEADERBOARD / "values.yaml"
    for path, changes in ((chart / "values.yaml", base), (own, overlay)):
        values = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
    words = ["template", "x", str(chart), "--values", str(own), "--set", "image.tag=v1"]
    command = [program("helm"), *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else done.stderr


def test_variables_may_all_go_from_the_values_of_a_chart(tmp_path: Path) -> None:
    text = chart_with(tmp_path, {"env": None}, {"environmentEnv": None, "resources": None})
    assert text.count("kind: Deployment") == 2, text
    assert "weekly" not in text
    assert "ENVIRONMENT" not in text


@pytest.mark.parametrize(
    ("base", "overlay", "words"),
    [
        ({}, {"processes": {"worker": None}}, "processes.worker.command has no value"),
        ({"migrate": None}, {}, "migrate has no value"),
    ],
)
def test_no_chart_runs_another_command_for_want_of_a_value(
    tmp_path: Path, base: dict[str, Any], overlay: dict[str, Any], words: str
) -> None:
    """A bare key in the values of an environment takes away what base says."""
    assert words in chart_with(tmp_path, base, overlay)


def add_charts(releases: ReleaseRepository, count: int) -> list[str]:
    """Copies of leaderboard in the clone, all released on dev but the first."""
    git(releases.clone, "pull", "--quiet")
    names = [f"chart-{number:02d}" for number in range(count)]
    for name in names:
        for place in ("base", "environments/dev", "environments/prod"):
            original = releases.clone / place / LEADERBOARD
            for path in [p for p in original.rglob("*") if p.is_file()]:
                target = original.with_name(name) / path.relative_to(original)
                target.parent.mkdir(parents=True, exist_ok=True)
                text = path.read_text(encoding="utf-8").replace("leaderboard", name)
                target.write_text(text, encoding="utf-8")
        if name != names[0]:
            version = releases.clone / "environments/dev/community" / name / "version/values.yaml"
            version.write_text(released_helm(ONE.version, ONE.digest), encoding="utf-8")
    version = releases.clone / "environments/dev/community" / names[0] / "version/values.yaml"
    version.write_text(UNRELEASED_HELM, encoding="utf-8")
    return names


def test_among_many_the_one_that_does_not_render_is_named(releases: ReleaseRepository) -> None:
    names = add_services(releases, 6)
    broken = releases.clone / "environments" / "dev" / "streaming" / names[3]
    (broken / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n", encoding="utf-8")
    ran = releases.run("render.sh", "out")
    assert ran.code == UNVERIFIED
    assert ran.err.count("does not render:") == 1
    assert f"dev/streaming/{names[3]} does not render" in ran.err
    assert (releases.clone / "out" / "dev" / "streaming" / f"{names[4]}.yaml").read_text()


def add_services(releases: ReleaseRepository, count: int) -> list[str]:
    """Copies of tv-api in the clone, all released on dev but the first."""
    releases.deliver(TV_API, ONE)
    git(releases.clone, "pull", "--quiet")
    names = [f"copy-{number:02d}" for number in range(count)]
    for name in names:
        for place in ("base", "environments/dev", "environments/prod"):
            original = releases.clone / place / TV_API
            for path in [p for p in original.rglob("*") if p.is_file()]:
                target = original.with_name(name) / path.relative_to(original)
                target.parent.mkdir(parents=True, exist_ok=True)
                text = path.read_text(encoding="utf-8").replace("tv-api", name)
                target.write_text(text, encoding="utf-8")
    version = releases.clone / version_path("dev", f"streaming/{names[0]}")
    version.write_text(UNRELEASED_KUSTOMIZE, encoding="utf-8")
    return names


@pytest.mark.parametrize(
    "words", [["--what"], ["scripts"], ["out", "no-such-commit"], ["--difference", "a"]]
)
def test_render_refuses_wrong_arguments(releases: ReleaseRepository, words: list[str]) -> None:
    before = releases.snapshot()
    assert releases.run("render.sh", *words).code == USAGE
    assert releases.snapshot() == before


def test_the_workflow_may_only_read_and_a_job_without_code_comments(
    workflow: dict[Any, Any],
) -> None:
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert jobs["render"]["permissions"] == {"contents": "read"}
    assert jobs["comment"]["permissions"] == {"pull-requests": "write"}
    assert not any("uses" in step for step in jobs["comment"]["steps"])
    assert "pull_request_target" not in workflow[True]


def test_nothing_of_a_pull_request_is_pasted_into_a_script(workflow: dict[Any, Any]) -> None:
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize(("path", "actions"), [(GITHUB, 1), (CIRCLECI, 0)])
def test_what_the_check_downloads_is_pinned(generated: Path, path: str, actions: int) -> None:
    text = (generated / path).read_text(encoding="utf-8")
    used = re.findall(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", text)
    assert len(used) == text.count("uses: ") == actions
    assert text.count("install_from ") == 3
    assert len(re.findall(r"\b[0-9a-f]{64}\b", text)) == 3
    assert "latest" not in text


@pytest.mark.parametrize(
    ("path", "schema"), [(GITHUB, "vendor.github-workflows"), (CIRCLECI, "vendor.circle-ci")]
)
def test_the_check_follows_the_published_schema(generated: Path, path: str, schema: str) -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    command = [*checker, str(generated / path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_shell_of_circlecis_check_passes_shellcheck(
    circleci: dict[str, str], tmp_path: Path
) -> None:
    assert len(circleci) == 6
    for number, script in enumerate(circleci.values()):
        (tmp_path / f"{number}.sh").write_text(script, encoding="utf-8")
    shellcheck = Path(sys.executable).with_name("shellcheck")
    subprocess.run([shellcheck, "--shell=bash", *tmp_path.glob("*.sh")], check=True)


def on_circleci(
    releases: ReleaseRepository, circleci: dict[str, str], folder: Path, branch: str
) -> str:
    """What CircleCI's check says of the clone's HEAD, its tools being there; the report if any."""
    environment = {
        **releases.environ,
        "BRANCH": "main",
        "BEFORE": str(folder / "before"),
        "AFTER": str(folder / "after"),
        "CIRCLE_BRANCH": branch,
        "CIRCLE_SHA1": git(releases.clone, "rev-parse", "HEAD"),
    }
    said = ""
    for name in (
        "Merge, where this is no merge yet",
        "Render every environment",
        "Look for what would be left out, refused, or was changed by hand",
        "Compare with the branch",
    ):
        script = circleci[name].replace("/tmp/report.md", str(folder / "report"))  # noqa: S108
        command = ["bash", "-eo", "pipefail", "-c", script]
        done = subprocess.run(
            command,
            cwd=releases.clone,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said += done.stdout
        if done.returncode:
            return f"{said}{name}: {done.returncode}"
    report = folder / "report"
    return report.read_text(encoding="utf-8") if report.exists() else said


def rename_on_a_branch(releases: ReleaseRepository) -> None:
    """Deliver a version, and leave the clone on `change`, where dev's tv-api is tv-api-new."""
    releases.deliver(TV_API, ONE)
    git(releases.clone, "pull", "--quiet")
    git(releases.clone, "switch", "--quiet", "-c", "change")
    overlay = releases.clone / version_path("dev", TV_API).replace("version/", "")
    overlay.write_text(overlay.read_text(encoding="utf-8") + "nameSuffix: -new\n", encoding="utf-8")
    git(releases.clone, "commit", "--quiet", "--all", "-m", "Change")


def test_circleci_shows_what_a_branch_changes_and_not_what_main_did(
    releases: ReleaseRepository, circleci: dict[str, str], tmp_path: Path
) -> None:
    rename_on_a_branch(releases)
    releases.deliver(TV_API, TWO)
    report = on_circleci(releases, circleci, tmp_path, "change")
    assert "+  name: tv-api-new" in report
    assert ONE.version not in report
    assert TWO.version in (tmp_path / f"after/dev/{TV_API}.yaml").read_text()


def test_circleci_refuses_what_was_changed_by_hand(
    releases: ReleaseRepository, circleci: dict[str, str], tmp_path: Path
) -> None:
    git(releases.clone, "switch", "--quiet", "-c", "change")
    rendered = releases.clone / "rendered" / "prod" / TV_API / "configmap-shared.yaml"
    rendered.write_text(SHARED.format("{}", "b"), encoding="utf-8")
    git(releases.clone, "add", "--all")
    git(releases.clone, "commit", "--quiet", "-m", "Change")
    said = on_circleci(releases, circleci, tmp_path, "change")
    assert f"rendered/prod/{TV_API} is neither what base, overlay and version render to" in said
    assert not (tmp_path / "report").exists()


def test_circleci_compares_nothing_on_the_branch_itself(
    releases: ReleaseRepository, circleci: dict[str, str], tmp_path: Path
) -> None:
    releases.deliver(TV_API, ONE)
    git(releases.clone, "pull", "--quiet")
    assert on_circleci(releases, circleci, tmp_path, "main") == ""
    assert ONE.version in (tmp_path / f"after/dev/{TV_API}.yaml").read_text()
    assert not (tmp_path / "before").exists()


def test_the_steps_of_the_workflow_show_what_a_pull_request_changes(
    releases: ReleaseRepository, workflow: dict[Any, Any], tmp_path: Path
) -> None:
    rename_on_a_branch(releases)
    git(releases.clone, "switch", "--quiet", "main")
    git(releases.clone, "merge", "--quiet", "--no-ff", "-m", "Merge", "change")
    environment = {
        **releases.environ,
        "BEFORE": str(tmp_path / "before"),
        "AFTER": str(tmp_path / "after"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    for step in workflow["jobs"]["render"]["steps"]:
        if step.get("name") in ("Render every environment", "Compare with the branch"):
            command = ["bash", "-eo", "pipefail", "-c", step["run"]]
            subprocess.run(command, cwd=releases.clone, env=environment, check=True)
    summary = (tmp_path / "summary").read_text(encoding="utf-8")
    assert "+  name: tv-api-new" in summary
    output = (tmp_path / "output").read_text(encoding="utf-8")
    assert output.startswith("report<<")
    assert "+  name: tv-api-new" in output


def test_every_workflow_passes_actionlint(generated: Path) -> None:
    workflows = [
        *generated.glob(".github/workflows/*.yml"),
        *generated.glob("pipelines/*/.github/workflows/*.yml"),
    ]
    assert len(workflows) == 3
    shellcheck = Path(sys.executable).with_name("shellcheck")
    command = [
        program("actionlint"),
        "-no-color",
        "-shellcheck",
        str(shellcheck),
        *map(str, workflows),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
