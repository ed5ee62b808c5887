"""Launchers for the programs of Pulumi's Python support that its CLI looks for on PATH.

`pulumi-language-python` runs the program (`language.py`); `pulumi-resource-pulumi-python` serves
dynamic resources (`dynamic.py`).
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

LANGUAGE_HOST = Path(__file__).resolve().parent / "language.py"
DYNAMIC_HOST = LANGUAGE_HOST.with_name("dynamic.py")


def install(directory: Path) -> None:
    """Writes both executables into a folder that is meant for PATH.

    They use the interpreter that runs this, so the program sees the packages installed beside it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, host in (
        ("pulumi-language-python", LANGUAGE_HOST),
        ("pulumi-resource-pulumi-python", DYNAMIC_HOST),
    ):
        command = shlex.join([sys.executable, "-u", str(host)])
        write_launcher(directory / name, f'{command} "$@"')


def write_launcher(file: Path, command: str) -> None:
    """Write a script that replaces itself with the command, so that signals reach the command."""
    file.write_text(f"#!/bin/sh\nexec {command}\n")
    file.chmod(0o755)
