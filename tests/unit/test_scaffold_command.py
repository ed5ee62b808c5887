"""`python -m gitops render`: the same files without Pulumi and without AWS."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitops.__main__ import main
from gitops.tree import scaffold
from settings.environment import Settings
from tests.unit.conftest import Bend


def render(out: Path, *more: str, stack: str = "dev") -> int:
    return main(["render", "--stack", stack, "--out", str(out), *more])


def test_render_writes_the_tree_of_a_stack(tmp_path: Path, dev: Settings) -> None:
    assert render(tmp_path) == 0
    for path, file in scaffold(dev).items():
        assert (tmp_path / path).read_text(encoding="utf-8") == file.text


def test_check_passes_on_what_was_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stack in ("dev", "prod"):
        render(tmp_path, stack=stack)
    capsys.readouterr()
    for stack in ("dev", "prod"):
        assert render(tmp_path, "--check", stack=stack) == 0
    assert capsys.readouterr().out == ""


def test_check_writes_nothing_and_exits_1_with_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tmp_path / "new", "--check") == 1
    assert not (tmp_path / "new").exists()
    assert "+++ b/README.md\n" in capsys.readouterr().out


def test_check_calls_an_edited_managed_file_drift_and_an_edited_seeded_one_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render(tmp_path)
    seeded = tmp_path / "environments/dev/streaming/tv-api/deployment.yaml"
    seeded.write_text(seeded.read_text().replace("replicas: 1", "replicas: 3"))
    assert render(tmp_path, "--check") == 0
    (tmp_path / "README.md").write_text("mine\n")
    capsys.readouterr()
    assert render(tmp_path, "--check") == 1
    assert "-mine\n" in capsys.readouterr().out


def test_bad_settings_exit_2_with_the_report_and_write_nothing(
    configuration: Path, bend: Bend, capsys: pytest.CaptureFixture[str]
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:speed": "warp"}))
    assert render(configuration / "out", "--root", str(configuration)) == 2
    assert "platform:speed" in capsys.readouterr().err
    assert not (configuration / "out").exists()


def test_a_broken_lock_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".scaffold").mkdir()
    (tmp_path / ".scaffold/shared.json").write_text("{")
    assert render(tmp_path) == 2
    assert "is not JSON" in capsys.readouterr().err


def test_another_stack_file_can_be_named(configuration: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.yaml"
    text = (configuration / "Pulumi.dev.yaml").read_text()
    other.write_text(text.replace("dev.acme.example", "lab.acme.example"))
    out = tmp_path / "out"
    assert render(out, "--config-file", str(other), "--root", str(configuration)) == 0
    ingress = out / "environments/dev/streaming/tv-frontend/ingress.yaml"
    assert "tv-frontend.lab.acme.example" in ingress.read_text()


def test_a_service_taken_out_of_the_catalogue_leaves_the_repository(
    configuration: Path, bend: Bend
) -> None:
    out = configuration / "out"
    render(out, "--root", str(configuration))
    bend("services.yaml", lambda catalogue: catalogue["namespaces"].pop("community"))
    bend("Pulumi.dev.yaml", lambda config: config.pop("platform:keel"))
    assert render(out, "--root", str(configuration)) == 0
    assert not (out / "base/community").exists()
    assert not (out / "environments/dev/community").exists()
    shutil.rmtree(out)


HELP: dict[tuple[str, ...], str] = {
    (): (
        "usage: python -m gitops [-h] command ... `python -m gitops render`: the GitOps repository "
        "of a stack, without Pulumi and without AWS. positional arguments: command render write a "
        "stack's files into a folder, or compare them with it options: -h, --help show this help "
        "message and exit"
    ),
    ("render",): (
        "usage: python -m gitops render [-h] --stack STACK --out OUT [--check] [--config-file "
        "CONFIG_FILE] [--root ROOT] Writes the files of a stack into a folder, and keeps what was "
        "edited there. options: -h, --help show this help message and exit --stack STACK the "
        "stack, such as dev --out OUT the folder; created if it is missing --check write nothing, "
        "show the difference, exit 1 if any --config-file CONFIG_FILE in place of "
        "Pulumi.<stack>.yaml --root ROOT where services.yaml and the stack files are exit codes: 0 "
        "done or nothing to do, 1 --check found a difference, 2 refused"
    ),
}


@pytest.mark.parametrize("words", HELP)
def test_the_command_tells_what_it_takes(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    assert " ".join(capsys.readouterr().out.split()) == HELP[words]


@pytest.mark.parametrize("words", [[], ["render", "--stack=dev"], ["render", "--out=x"]])
def test_a_command_that_is_not_whole_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(words)
    assert refused.value.code == 2


def test_the_report_of_what_was_done_is_beside_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render(tmp_path)
    (tmp_path / "README.md").unlink()
    capsys.readouterr()
    assert render(tmp_path, "--check") == 1
    assert capsys.readouterr().err == "+ README.md\n"
    assert render(tmp_path) == 0
    assert capsys.readouterr() == ("", "+ README.md\n")
