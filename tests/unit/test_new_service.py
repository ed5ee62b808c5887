"""`python -m settings new-service` adds what is right, and changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import load_files
from settings.__main__ import main
from settings.new_service import Answers as New
from settings.new_service import CannotAddError, added

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
    said = capsys.readouterr().out
    assert "1. pulumi up --stack dev && pulumi up --stack prod\n" in said
    assert "3. copy ../gitops/pipelines/subtitles/ into acme/subtitles;" in said


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
        (("--namespace=streaming",), "--owner, --source, --ci, --delivery is missing"),
        (("--namespace=streaming", *WORDS, "--owner=nobody"), "subtitles.owner: is no team"),
        (("--namespace=streaming", *WORDS, "--port=80"), "subtitles.port: must be greater than"),
        (("--namespace=streaming", *WORDS, "--port=http"), "--port must be a number"),
        (("--namespace=streaming", *WORDS, "--ci=jenkins"), "--ci must be github-actions or"),
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
    with pytest.raises(CannotAddError, match="has a service subtitles in streaming already"):
        added(text, ANSWERS)


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


def test_a_catalogue_in_braces_is_refused() -> None:
    with pytest.raises(CannotAddError, match="write one by hand first"):
        added("namespaces: {streaming: {services: {a: {}}}}\n", ANSWERS)
