"""Where a tool is found: in the cache, on PATH at the pinned version, or in a Python package."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.toolchain.cache import Cache
from lab.toolchain.tools import Tool, Wheel

VERSION_SECONDS = 10
"""How long a program on PATH may take to print its version before it is ignored."""


@dataclass(frozen=True)
class Found:
    """A program, the version it is, and whether it comes from the cache, PATH or a wheel."""

    path: Path
    version: str
    origin: str


def find_tool(tool: Tool, cache: Cache, search_path: str) -> Found | None:
    """The tool from the cache, else from PATH if that one has the pinned version, else None."""
    program = cache.program(tool)
    if program.exists():
        return Found(program, tool.release, "cache")
    if tool.version_command:
        on_path = shutil.which(tool.name, path=search_path)
        if on_path and _reports_release(Path(on_path), tool):
            return Found(Path(on_path), tool.release, "PATH")
    return None


def find_wheel(wheel: Wheel) -> Found | None:
    """The program from the Python package in the environment that runs this, or None."""
    try:
        distribution = importlib.metadata.distribution(wheel.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in distribution.files or []:
        if file.name == wheel.name and file.parent.name == "bin":
            program = Path(os.path.normpath(str(file.locate())))
            if os.access(program, os.X_OK):
                return Found(program, distribution.version, "wheel")
    return None


def _reports_release(program: Path, tool: Tool) -> bool:
    """Whether the program says that it is exactly the pinned release."""
    try:
        answer = subprocess.run(
            [program, *tool.version_command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return False
    pinned = rf"(?<![\w.])v?{re.escape(tool.release)}(?![\w.-])"
    return answer.returncode == 0 and re.search(pinned, answer.stdout + answer.stderr) is not None
