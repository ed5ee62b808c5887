"""`python -m settings new-service` adds what is right, and changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from settings.__main__ import main
from settings.loading import load_files
from settings.new_service import Answers as New
from settings.new_service import CannotAddError, added
from tests.unit.conftest import Bend

WORDS = (
    "--owner=tvhub",
    "--source=acme/subtitles",
    "--ci=github-actions",
    "--delivery=commit",
)
ANSWERS = New(
    name="subtitles",
    namespace="streaming",
    owner="tvhub",
    source="acme/subtitles",
    ci="github-actions",
    delivery="commit",
    port=8000,
)
ENTRY = """\
      subtitles:
        owner: tvhub
        source: acme/subtitles
        ci: github-actions # or circleci
        delivery: commit # CI commits the version; or keel: every build at once
        port: 8080 # where it answers HTTP, /healthz too
        # ingress: true # https://<service>.<domain of the environment>
        # Workers, cron jobs, volumes, migrations and the rest: docs/services.md
"""


def new(configuration: Path, *words: str) -> int:
    return main(["new-service", "subtitles", f"--root={configuration}", *words])


def test_a_service_is_added_at_the_end_of_its_namespace(
    configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configuration / "services.yaml"
    before = path.read_text()
    assert new(configuration, "--namespace=community", *WORDS) == 0
    beginning, _, end = before.partition("\n  streaming:\n")
    assert path.read_text() == f"{beginning}{ENTRY}\n  streaming:\n{end}"
    service = load_files("prod", configuration).catalogue.namespaces["community"].services
    assert service["subtitles"].port == 8080
    assert capsys.readouterr().out == (
        "subtitles is in services.yaml, and nothing is wrong with it. What comes next:\n"
        "1. pulumi up --stack dev && pulumi up --stack prod\n"
        "2. commit what that wrote into ../gitops\n"
        "3. copy ../gitops/pipelines/subtitles/ into acme/subtitles; its first lines say what it "
        "needs\n"
        "docs/start.md goes on from there.\n"
    )


def test_a_service_is_added_behind_a_text_of_many_lines(configuration: Path) -> None:
    path = configuration / "services.yaml"
    before = path.read_text()
    assert new(configuration, "--namespace=streaming", *WORDS) == 0
    assert path.read_text() == before + ENTRY


def test_a_new_namespace_is_made(configuration: Path) -> None:
    path = configuration / "services.yaml"
    before = path.read_text()
    assert new(configuration, "--namespace=media", "--port=0", *WORDS) == 0
    assert path.read_text().startswith(f"{before}  media:\n    services:\n      subtitles:\n")
    service = load_files("dev", configuration).catalogue.namespaces["media"].services["subtitles"]
    assert service.port is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--namespace=streaming", "--ci=circleci"),
            "--owner, --source, --delivery is missing; nothing was written\n",
        ),
        (("--namespace=streaming", *WORDS, "--owner=nobody"), "subtitles.owner: is no team"),
        (("--namespace=streaming", *WORDS, "--port=80"), "subtitles.port: must be greater than"),
        (
            ("--namespace=streaming", *WORDS, "--port=http"),
            "--port must be a number, or 0 for none (given: http)\n",
        ),
        (("--namespace=streaming", *WORDS, "--port=123456"), "(given: 123456)\n"),
        (("--namespace=streaming", *WORDS, "--port=12345 "), "(given: 12345 )\n"),
        (
            ("--namespace=streaming", *WORDS, "--ci=jenkins"),
            "--ci must be github-actions or circleci (given: jenkins)\n",
        ),
        (
            ("--namespace=streaming", *WORDS, "--delivery=post"),
            "--delivery must be keel or commit (given: post)\n",
        ),
        (("--namespace=Streaming", *WORDS), "namespaces.Streaming: must be a DNS label"),
        (("--namespace=streaming", *WORDS, "--source=acme"), "must be a GitHub repository"),
    ],
)
def test_nothing_is_written_where_something_is_wrong(
    configuration: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (configuration / "services.yaml").read_bytes()
    assert new(configuration, *words) == 2
    assert message in capsys.readouterr().err
    assert (configuration / "services.yaml").read_bytes() == before


def test_a_service_that_is_there_is_left_alone(configuration: Path) -> None:
    text = added((configuration / "services.yaml").read_text(), ANSWERS)
    with pytest.raises(CannotAddError) as refused:
        added(text, ANSWERS)
    assert str(refused.value) == (
        "services.yaml has a service subtitles in streaming already; edit it there, or choose "
        "another name"
    )


def test_a_catalogue_that_ends_with_a_list_is_continued_behind_it() -> None:
    text = "namespaces:\n  streaming:\n    services:\n      a:\n        command:\n        - x\n"
    assert added(text, ANSWERS).startswith(f"{text}      subtitles:\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"namespaces: a: b\n", ":1: is not YAML: mapping values are not allowed in this context"),
        (b"namespaces:\n  a: {b: 2026-13-01}\n", ":2: is not YAML: month must be in 1..12"),
        (b"\xff", ": is not in UTF-8"),
    ],
)
def test_a_catalogue_that_cannot_be_read_is_told_and_left_alone(
    configuration: Path, text: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = configuration / "services.yaml"
    file.write_bytes(text)
    assert new(configuration, "--namespace=streaming", *WORDS) == 2
    assert f"  - services.yaml{problem}; " in capsys.readouterr().err
    assert file.read_bytes() == text


def test_a_folder_without_stacks_is_told(
    configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stack in ("dev", "prod"):
        (configuration / f"Pulumi.{stack}.yaml").unlink()
    assert new(configuration, "--namespace=streaming", *WORDS) == 2
    assert capsys.readouterr().err == (
        f"{configuration} has no Pulumi.<stack>.yaml; name the folder with --root\n"
    )


def test_the_folder_is_that_of_the_program_unless_it_is_said(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settings.__main__.ROOT", configuration)
    assert main(["new-service", "subtitles", "--namespace=streaming", *WORDS]) == 0
    assert "      subtitles:\n" in (configuration / "services.yaml").read_text()


def test_comments_behind_the_last_service_stay_where_they_are() -> None:
    text = "namespaces:\n  streaming:\n    services:\n      a: {port: 1}\n\n# The end.\n"
    made = added(text, ANSWERS)
    assert made.startswith(
        "namespaces:\n  streaming:\n    services:\n      a: {port: 1}\n      sub"
    )
    assert made.endswith("docs/services.md\n\n# The end.\n")


def test_a_text_of_many_lines_does_not_swallow_the_blank_one_behind_it() -> None:
    text = (
        "namespaces:\n  streaming:\n    services:\n      a:\n        b: |\n          c\n\n# End.\n"
    )
    made = added(text, ANSWERS)
    assert "          c\n      subtitles:\n" in made
    assert made.endswith("docs/services.md\n\n# End.\n")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("namespaces: {streaming: {services: {a: {}}}}\n", "namespaces"),
        ("namespaces:\n  streaming: {services: {a: {}}}\n", "services"),
        ("namespaces:\n  streaming:\n    services: {}\n", "services"),
        ("namespaces:\n  streaming:\n", "services"),
        ("teams: {}\n", "namespaces"),
        ("", "namespaces"),
    ],
)
def test_a_catalogue_in_braces_is_refused(text: str, missing: str) -> None:
    with pytest.raises(CannotAddError) as refused:
        added(text, ANSWERS)
    assert str(refused.value) == (
        f"services.yaml has no {missing} that are written a key a line; write one by hand first"
    )


def test_a_new_namespace_is_indented_as_its_neighbours() -> None:
    text = "namespaces:\n   community:\n     services:\n       a: {port: 1}\n"
    made = added(text, ANSWERS).splitlines()
    assert made[4:8] == [
        "   streaming:",
        "     services:",
        "       subtitles:",
        "         owner: tvhub",
    ]


def test_a_service_without_a_port_has_neither_port_nor_address() -> None:
    text = "namespaces:\n  streaming:\n    services:\n      a: {port: 1}\n"
    answers = replace(ANSWERS, ci="circleci", delivery="keel", port=None)
    assert added(text, answers).splitlines()[4:] == [
        "      subtitles:",
        "        owner: tvhub",
        "        source: acme/subtitles",
        "        ci: circleci # or github-actions",
        "        delivery: keel # every build at once; or commit: CI commits the version",
        "        # port: 8080 # where it answers HTTP; without one nothing reaches it",
        "        # Workers, cron jobs, volumes, migrations and the rest: docs/services.md",
    ]


# What is asked, and what the command tells of itself


def test_what_is_not_said_is_asked_where_somebody_can_answer(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []
    answers = iter(["streaming", "tvhub", " acme/subtitles ", "commit"])

    def answer(question: str) -> str:
        questions.append(question)
        return next(answers)

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", answer)
    before = (configuration / "services.yaml").read_text()
    assert new(configuration, "--ci=github-actions") == 0
    assert (configuration / "services.yaml").read_text() == before + ENTRY
    assert questions == [
        "namespace - the namespace; a new one is made: ",
        "owner - a key of teams: ",
        "source - its repository on GitHub, owner/name: ",
        "delivery - keel (every build at once) or commit (CI commits the version): ",
    ]


def test_every_stack_is_checked_before_anything_is_written(
    configuration: Path, bend: Bend, capsys: pytest.CaptureFixture[str]
) -> None:
    bend("Pulumi.prod.yaml", lambda config: config.update({"platform:speed": "warp"}))
    before = (configuration / "services.yaml").read_bytes()
    assert new(configuration, "--namespace=streaming", *WORDS) == 2
    assert "Pulumi.prod.yaml" in capsys.readouterr().err
    assert (configuration / "services.yaml").read_bytes() == before


def test_the_stack_that_owns_the_registry_comes_first(
    configuration: Path, bend: Bend, capsys: pytest.CaptureFixture[str]
) -> None:
    for stack in ("dev", "prod"):
        bend(
            f"Pulumi.{stack}.yaml",
            lambda config: config["platform:registry"].update(owner="prod"),
        )
    assert new(configuration, "--namespace=streaming", *WORDS) == 0
    assert "1. pulumi up --stack prod && pulumi up --stack dev\n" in capsys.readouterr().out


def test_the_checkout_is_that_of_the_first_stack(
    configuration: Path, bend: Bend, capsys: pytest.CaptureFixture[str]
) -> None:
    bend("Pulumi.prod.yaml", lambda config: config["platform:gitops"].update(checkout="../other"))
    assert new(configuration, "--namespace=streaming", *WORDS) == 0
    assert "2. commit what that wrote into ../gitops\n" in capsys.readouterr().out


HELP: dict[tuple[str, ...], str] = {
    (): (
        "usage: python -m settings [-h] command ... `python -m settings new-service`: a new entry "
        "of `services.yaml`, written and checked. positional arguments: command new-service add a "
        "service to services.yaml options: -h, --help show this help message and exit"
    ),
    ("new-service",): (
        "usage: python -m settings new-service [-h] [--namespace NAMESPACE] [--owner OWNER] "
        "[--source SOURCE] [--ci CI] [--delivery DELIVERY] [--port PORT] [--root ROOT] name Adds a "
        "service to services.yaml, unless something is wrong with it. Asks for what is not said, "
        "where somebody can answer. positional arguments: name the service's name options: -h, "
        "--help show this help message and exit --namespace NAMESPACE the namespace; a new one is "
        "made --owner OWNER a key of teams --source SOURCE its repository on GitHub, owner/name "
        "--ci CI github-actions or circleci --delivery DELIVERY keel (every build at once) or "
        "commit (CI commits the version) --port PORT where it answers HTTP; 0 for none, 8080 "
        "unless said --root ROOT where services.yaml and the stack files are"
    ),
}


@pytest.mark.parametrize("words", HELP)
def test_the_command_tells_what_it_takes(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    assert " ".join(capsys.readouterr().out.split()) == HELP[words]


@pytest.mark.parametrize("words", [[], ["new-service"], ["new-service", "a", "--port"]])
def test_a_command_that_is_not_whole_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(words)
    assert refused.value.code == 2
