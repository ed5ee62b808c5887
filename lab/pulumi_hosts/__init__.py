"""Thin launchers for the parts of Pulumi's Python support that its CLI looks for on PATH.

`pulumi-language-python` runs the program (`language.py`); `pulumi-resource-pulumi-python` serves
dynamic resources, which the Python SDK does itself.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

LANGUAGE_HOST = Path(__file__).resolve().parent / "language.py"


def install(directory: Path) -> None:
    """Writes both executables into a folder that is meant for PATH.

    They use the interpreter that runs this, so the program sees the packages installed beside it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    python = shlex.quote(sys.executable)
    language = f'{python} {shlex.quote(str(LANGUAGE_HOST))} "$@"'
    write_launcher(directory / "pulumi-language-python", language)
    write_launcher(
        directory / "pulumi-resource-pulumi-python", f'{python} -u -m pulumi.dynamic "$@"'
    )


def write_launcher(file: Path, command: str) -> None:
    """Writes an executable that becomes the command, so that signals reach it directly."""
    file.write_text(f"#!/bin/sh\nexec {command}\n")
    file.chmod(0o755)
