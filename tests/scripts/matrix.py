"""The tests of the release scripts on every kind of machine that can be had here, one by one.

`python -m tests.scripts.matrix [PYTEST ARGUMENT]...`. Other Git programs to try are named in
MATRIX_GITS, with colons between them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.scripts.machine import Machine, found

FOLDER = Path(__file__).parent
OF_CI = ("test_building.py", "test_checks.py", "test_pipelines.py", "test_verification.py")
"""Tests of steps that run in bash on CI's machines, and on nobody else's."""


def main(arguments: Sequence[str]) -> int:
    """Runs the suite for each machine; 1 if one of them failed."""
    failed = []
    for machine in found():
        print(f"==> {machine.name}", flush=True)
        if run(machine, arguments):
            failed.append(machine.name)
    print(f"failed on {', '.join(failed)}" if failed else "passed on every machine")
    return 1 if failed else 0


def run(machine: Machine, arguments: Sequence[str]) -> int:
    """The status of pytest, run with what `machine` says."""
    said = {
        "MACHINE_NAME": machine.name,
        "MACHINE_PYTHON": machine.python,
        "MACHINE_GIT": machine.git,
        "MACHINE_LOCALE": machine.locale,
        "MACHINE_BARE": "yes" if machine.bare else "",
    }
    command = [sys.executable, "-m", "pytest", "--quiet", "--deselect=tests/scripts/test_matrix.py"]
    if machine.bare:
        command += [f"--ignore={FOLDER / name}" for name in OF_CI]
    selected = arguments or [str(FOLDER)]
    return subprocess.run([*command, *selected], env={**os.environ, **said}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
