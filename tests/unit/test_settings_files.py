"""Where a problem is: the file and its line, for everything that a file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.files import Sources, YamlFile
from settings.loading import load, load_files
from settings.problems import Problem, SettingsError
from tests.unit.conftest import Bend


def report(configuration: Path, stack: str = "prod") -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_files(stack, configuration)
    return [str(problem) for problem in caught.value.problems]


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_problem_names_the_line_of_the_list_item(configuration: Path) -> None:
    change(configuration / "Pulumi.prod.yaml", "maxSize: 9", "maxSize: 2")
    assert report(configuration) == [
        "Pulumi.prod.yaml:16: platform:cluster.nodeGroups[0]: minSize 3 exceeds maxSize 2; "
        "lower minSize or raise maxSize"
    ]


def test_a_problem_names_the_line_of_the_key(configuration: Path) -> None:
    change(configuration / "Pulumi.prod.yaml", "speed: safe", "speed: warp")
    change(configuration / "services.yaml", "port: 3000", "port: 80")
    problems = report(configuration)
    assert problems[0].startswith("Pulumi.prod.yaml:5: platform:speed: must be 'fast' or 'safe'")
    port = (configuration / "services.yaml").read_text().splitlines().index("        port: 80") + 1
    assert problems[1].startswith(f"services.yaml:{port}: namespaces.")


def test_a_missing_key_names_the_line_of_what_lacks_it(configuration: Path) -> None:
    change(configuration / "Pulumi.prod.yaml", "    owner: dev\n", "    untaggedDays: 9\n")
    assert report(configuration) == [
        "Pulumi.prod.yaml:23: platform:registry.owner: is missing; add it: see docs/reference.md"
    ]


def test_what_no_file_says_has_no_line(configuration: Path) -> None:
    change(configuration / "Pulumi.prod.yaml", "  platform:domain: acme.example\n", "")
    assert report(configuration) == [
        "Pulumi.prod.yaml: platform:domain: is missing; add it: see docs/reference.md"
    ]


@pytest.mark.parametrize("stack", ["dev", "prod"])
@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("  platform:domain: acme.example\n", "Pulumi.prod.yaml: platform:domain"),
        ("    owner: dev\n", "Pulumi.prod.yaml:23: platform:registry.owner"),
    ],
)
def test_what_a_stack_takes_from_pulumi_esc_has_to_be_in_its_file(
    configuration: Path, line: str, place: str, stack: str
) -> None:
    file = configuration / "Pulumi.prod.yaml"
    change(file, line, "    untaggedDays: 9\n" if line.startswith("    ") else "")
    file.write_text(f"{file.read_text()}environment:\n  - acme/prod\n")
    assert report(configuration, stack) == [
        f"{place}: is missing; write it into the file: what `environment:` brings from Pulumi "
        "ESC, Pulumi gives to that stack alone, and the other stacks read the file"
    ]


def test_a_stack_with_pulumi_esc_that_is_whole_is_accepted(configuration: Path) -> None:
    file = configuration / "Pulumi.prod.yaml"
    file.write_text(f"{file.read_text()}environment:\n  - acme/prod\n")
    assert load_files("dev", configuration).catalogue.namespaces


def test_a_value_that_pulumi_got_from_elsewhere_has_no_line(configuration: Path) -> None:
    text = (configuration / "Pulumi.prod.yaml").read_text()
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    change(configuration / "Pulumi.prod.yaml", "cidr: 10.20.0.0/16", "cidr: 10.30.0.0/16")
    config["platform:speed"] = "warp"
    config["platform:network"]["nat"] = "none"
    with pytest.raises(SettingsError) as caught:
        load("prod", config, configuration)
    places = [(problem.path, problem.line) for problem in caught.value.problems]
    assert places == [("platform:network.nat", None), ("platform:speed", None)]


def test_a_scalar_that_pulumi_hands_over_as_text_keeps_its_line(configuration: Path) -> None:
    change(
        configuration / "Pulumi.prod.yaml", "platform:domain: acme.example", "platform:domain: 7"
    )
    config = yaml.safe_load((configuration / "Pulumi.prod.yaml").read_text())["config"]
    with pytest.raises(SettingsError) as caught:
        load("prod", config | {"platform:domain": "7"}, configuration)
    assert [problem.line for problem in caught.value.problems] == [7]


def test_true_and_what_is_in_a_section_or_a_list_keep_their_lines(configuration: Path) -> None:
    file = configuration / "Pulumi.prod.yaml"
    change(file, "platform:domain: acme.example", "platform:domain: True")
    change(file, "maxSize: 9", "maxSize: 2")
    change(file, ' ["210987654321"]', "\n    - 12")
    config = yaml.safe_load(file.read_text())["config"] | {"platform:domain": "true"}
    with pytest.raises(SettingsError) as caught:
        load("prod", config, configuration)
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [
        ("aws:allowedAccountIds[0]", 5),
        ("platform:domain", 8),
        ("platform:cluster.nodeGroups[0]", 17),
    ]


def test_what_cannot_change_is_told_with_its_line(configuration: Path) -> None:
    file = configuration / "Pulumi.prod.yaml"
    config = yaml.safe_load(file.read_text())["config"]
    with pytest.raises(SettingsError) as caught:
        load("prod", config, configuration, applied={"platform:organization": "other"})
    (problem,) = caught.value.problems
    line = file.read_text().splitlines().index("  platform:organization: acme") + 1
    assert (problem.file, problem.line) == ("Pulumi.prod.yaml", line)


def test_a_fault_outside_the_entries_is_told_beside_one_in_them(configuration: Path) -> None:
    file = configuration / "services.yaml"
    change(file, "port: 3000", "port: 80")
    change(file, "teams:\n", "teems: {}\nteams:\n")
    first, second = report(configuration)
    assert ": teems: is not a key known here" in first
    assert "tv-frontend.port: must be greater than or equal to 1024" in second


def test_every_key_that_is_named_twice_is_reported(configuration: Path) -> None:
    (configuration / "Pulumi.qa.yaml").write_text(
        "config:\n  a: 1\n  b: {c: 1, c: 2}\n  a: 2\n  3: x\n"
    )
    assert report(configuration)[:3] == [
        "Pulumi.qa.yaml:3: config.b.c: is named twice, first on line 3; "
        "keep one of the two entries",
        "Pulumi.qa.yaml:4: config.a: is named twice, first on line 2; keep one of the two entries",
        "Pulumi.qa.yaml:5: is a key and no text (given: 3); put it in quotes",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("  ? [a, b]\n  : 1\n", "2: is a key and no text; put it in quotes"),
        (
            "  one: {c: 1, c: 2}\n  two: &two {d: 1}\n  three: *two\n",
            "2: config.one.c: is named twice, first on line 2; keep one of the two entries",
        ),
        (
            "  one: {c: 1, c: 2}\n  two: [1]\n",
            "2: config.one.c: is named twice, first on line 2; keep one of the two entries",
        ),
    ],
)
def test_every_key_of_a_file_is_looked_at(configuration: Path, text: str, problem: str) -> None:
    (configuration / "Pulumi.qa.yaml").write_text(f"config:\n{text}")
    assert report(configuration)[0] == f"Pulumi.qa.yaml:{problem}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: \x01\n",
            ": is not YAML: unacceptable character #x0001: control characters are not allowed",
        ),
        ("a: 1\nb: 2026-02-30\n", ":2: is not YAML: day is out of range for month"),
        ("a: 1\n---\nb: 2\n", ":2: is not YAML: but found another document"),
        ("a: !!int x\n", ":1: is not YAML: invalid literal for int() with base 10: 'x'"),
    ],
)
def test_a_file_that_is_no_yaml_is_a_problem_of_one_line(
    configuration: Path, text: str, problem: str
) -> None:
    (configuration / "services.yaml").write_text(text)
    assert report(configuration) == [f"services.yaml{problem}; correct the syntax"]


def test_settings_know_the_lines_of_their_files(configuration: Path) -> None:
    problem = Problem("Pulumi.prod.yaml", "platform:domain", "", "is wrong", "mend it")
    sources = load_files("dev", configuration).sources
    assert [one.line for one in sources.located([problem])] == [7]


def test_a_problem_of_no_file_hides_no_line_of_another() -> None:
    file = YamlFile(name="Pulumi.qa.yaml", content={}, lines={"a": 2, "a.b": 3})
    problems = [
        Problem(name, path, "", "is wrong", "mend it")
        for name, path in [("elsewhere", "a"), ("Pulumi.qa.yaml", "a.b[0]")]
    ]
    located = Sources({file.name: file}).located(problems)
    assert [problem.line for problem in located] == [None, 3]


def test_an_alias_that_contains_itself_is_reported_and_ends(configuration: Path) -> None:
    (configuration / "Pulumi.qa.yaml").write_text("config:\n  platform:cluster: &a\n    x: *a\n")
    assert any("qa.yaml:3: platform:cluster.x" in problem for problem in report(configuration))


def test_another_file_in_place_of_the_stacks_own_is_named(
    configuration: Path, tmp_path: Path
) -> None:
    other = tmp_path / "trial.yaml"
    text = (configuration / "Pulumi.prod.yaml").read_text()
    other.write_text(text.replace("speed: safe", "speed: warp"))
    with pytest.raises(SettingsError) as caught:
        load_files("prod", configuration, other)
    assert str(caught.value.problems[0]).startswith("trial.yaml:5: platform:speed")


# --- what all stacks share


SHARED = [
    ("platform:gitops", "url", "https://github.com/acme/other.git"),
    ("platform:gitops", "branch", "trunk"),
    ("platform:registry", "host", "registry.acme.example"),
]


@pytest.mark.parametrize(("section", "key", "value"), SHARED)
def test_a_difference_in_what_all_stacks_share_is_refused(
    configuration: Path, bend: Bend, section: str, key: str, value: str
) -> None:
    bend("Pulumi.prod.yaml", lambda c: c[section].update({key: value}))
    usual = {"url": "https://github.com/acme/gitops.git", "branch": "main", "host": "the default"}
    for stack in ("dev", "prod"):
        (problem,) = report(configuration, stack)
        file, _, words = problem.partition(": ")
        assert file.partition(":")[0] == "Pulumi.prod.yaml"
        assert words == (
            f"{section}.{key}: differs from {usual[key]} of Pulumi.dev.yaml, and all stacks write "
            f"the same shared files (given: {value}); write the same value in both files"
        )


@pytest.mark.parametrize(("section", "key", "value"), SHARED)
def test_the_same_value_in_all_stack_files_is_accepted(
    configuration: Path, bend: Bend, section: str, key: str, value: str
) -> None:
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        bend(file, lambda c: c[section].update({key: value}))
    assert load_files("prod", configuration)


def test_the_registrys_host_is_read_from_its_owner(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda c: c["platform:registry"].update(host="registry.acme.example"))
    assert load_files("prod", configuration).registry_host == "registry.acme.example"


def test_a_stack_that_runs_with_a_configuration_of_its_own_is_not_compared(
    configuration: Path,
) -> None:
    text = (configuration / "Pulumi.prod.yaml").read_text()
    config = json.loads(json.dumps(yaml.safe_load(text)["config"]))
    config["platform:gitops"]["url"] = "http://127.0.0.1/gitops.git"
    assert load("prod", config, configuration).config.gitops.url == "http://127.0.0.1/gitops.git"
