"""The launchers that stand in for the parts of Pulumi that cannot be downloaded."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime.proto import language_pb2

from lab import pulumi_hosts
from lab.pulumi_hosts import language


def command_of(launcher: Path) -> list[str]:
    first, second = launcher.read_text().splitlines()
    assert first == "#!/bin/sh"
    return shlex.split(second)


def test_the_hosts_are_executables_that_use_this_interpreter(tmp_path: Path) -> None:
    pulumi_hosts.install(tmp_path / "bin")
    for name in ("pulumi-language-python", "pulumi-resource-pulumi-python"):
        launcher = tmp_path / "bin" / name
        assert os.access(launcher, os.X_OK)
        assert command_of(launcher)[:2] == ["exec", sys.executable]


def test_installing_again_changes_nothing(tmp_path: Path) -> None:
    pulumi_hosts.install(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    pulumi_hosts.install(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("host", [pulumi_hosts.LANGUAGE_HOST, pulumi_hosts.DYNAMIC_HOST])
def test_a_host_imports_nothing_of_this_checkout(host: Path) -> None:
    """The program's own folder must win, so this one stays off the import path."""
    source = host.read_text()
    assert "from lab" not in source
    assert "PYTHONPATH" not in source


def program(folder: Path, text: str) -> Path:
    main = folder / "__main__.py"
    main.write_text(text)
    return main


def test_a_program_runs_as_the_main_module(tmp_path: Path) -> None:
    main = program(
        tmp_path, "from pathlib import Path\nPath(__file__ + '.ran').write_text(__name__)"
    )
    language._program(main)
    assert (tmp_path / "__main__.py.ran").read_text() == "__main__"


def test_a_refusal_of_the_program_stays_one_plain_message(tmp_path: Path) -> None:
    main = program(tmp_path, "import pulumi\nraise pulumi.RunError('Pulumi.dev.yaml: no')")
    with pytest.raises(pulumi.RunError, match=r"^Pulumi.dev.yaml: no$"):
        language._program(main)


def test_a_crash_shows_the_programs_frames_and_none_of_the_hosts(tmp_path: Path) -> None:
    main = program(tmp_path, "def inner():\n    return {}['x']\ninner()")
    with pytest.raises(pulumi.RunError) as failure:
        language._program(main)
    message = str(failure.value)
    assert f'File "{main}", line 3' in message
    assert message.rstrip().endswith("KeyError: 'x'")
    assert "runpy" not in message
    assert str(pulumi_hosts.LANGUAGE_HOST) not in message


def test_a_program_that_leaves_with_a_code_has_failed(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="left with 3"):
        language._program(program(tmp_path, "raise SystemExit(3)"))
    language._program(program(tmp_path, "raise SystemExit(0)"))


def test_pulumi_new_is_told_that_nothing_is_installed() -> None:
    host: Any = language.Host("127.0.0.1:1")
    (answer,) = host.InstallDependencies(language_pb2.InstallDependenciesRequest(), None)
    assert "nothing is installed" in answer.stdout.decode()


def test_pulumi_about_learns_the_versions_of_the_sdks() -> None:
    host: Any = language.Host("127.0.0.1:1")
    answer = host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest(), None)
    assert {"pulumi", "pulumi_aws"} <= {one.name for one in answer.dependencies}
