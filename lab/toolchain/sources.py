"""Where a tool is found: in the cache, on PATH at the pinned version, or in a Python package.

A Pulumi plugin is first looked for where Pulumi keeps those that it has downloaded.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.toolchain.cache import Cache
from lab.toolchain.tools import Tool, Wheel

VERSION_SECONDS = 10
"""How long a program on PATH may take to print its version before it is ignored."""


@dataclass(frozen=True)
class Found:
    """A program, the version it is, and where it comes from: cache, PATH, wheel or Pulumi."""

    path: Path
    version: str
    origin: str


def find_tool(tool: Tool, cache: Cache, environment: Mapping[str, str]) -> Found | None:
    """The tool from the cache, else from PATH if that one has the pinned version, else None.

    A plugin that Pulumi has downloaded is its maker's own, and goes before all of these.
    """
    if (official := _official_plugin(tool, cache, environment)) is not None:
        return Found(official, tool.release, "Pulumi")
    program = cache.program(tool)
    if program.exists():
        return Found(program, tool.release, "cache")
    if tool.version_command:
        on_path = shutil.which(tool.name, path=environment.get("PATH", os.defpath))
        if on_path and _reports_release(Path(on_path), tool):
            return Found(Path(on_path), tool.release, "PATH")
    return None


def _official_plugin(tool: Tool, cache: Cache, environment: Mapping[str, str]) -> Path | None:
    """The plugin in the user's Pulumi folder, at exactly the pinned version and complete."""
    if not tool.plugin:
        return None
    folder = _pulumi_home(environment) / "plugins" / f"resource-{tool.plugin}-v{tool.release}"
    program = folder / tool.name
    # Pulumi marks a folder that it has not finished; the lab's own folder links to the cache.
    unfinished = folder.with_name(f"{folder.name}.partial").exists()
    ours = program.resolve().is_relative_to(cache.tools.resolve())
    return program if os.access(program, os.X_OK) and not unfinished and not ours else None


def _pulumi_home(environment: Mapping[str, str]) -> Path:
    """Where Pulumi keeps what it downloads."""
    chosen = environment.get("PULUMI_HOME")
    return Path(chosen) if chosen else Path(environment.get("HOME", os.devnull)) / ".pulumi"


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
