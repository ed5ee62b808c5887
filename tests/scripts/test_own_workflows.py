"""The workflows of this repository, as actionlint reads them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.exported import CHECKOUT
from tests.programs import program


def test_every_workflow_of_this_repository_passes_actionlint() -> None:
    workflows = sorted((CHECKOUT / ".github" / "workflows").iterdir())
    assert workflows
    shellcheck = Path(sys.executable).with_name("shellcheck")
    arguments = ("-no-color", "-shellcheck", str(shellcheck), *map(str, workflows))
    command = [program("actionlint"), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
