"""Pulumi as the lab runs it: the real CLI and providers, with hosts of the lab."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from lab import pulumi_hosts
from lab.toolchain import Toolchain

PLUGINS = ("aws", "kubernetes")
"""The providers that the program needs, by the names of their Pulumi packages."""


def assemble(home: Path, toolchain: Toolchain) -> Path:
    """Fills `home` (PULUMI_HOME) and returns the folder of the CLI and its hosts, for PATH.

    The CLI stands beside its hosts, as in Pulumi's own releases: from there it takes them
    without a warning. Raises MissingToolError where something is not built.
    """
    programs = home / "bin"
    pulumi_hosts.install(programs)
    _place(toolchain.path("pulumi"), programs / "pulumi")
    for name in PLUGINS:
        _install(name, home, toolchain)
    return programs


def _install(name: str, home: Path, toolchain: Toolchain) -> None:
    """A provider where the CLI looks for the one that the SDK wants, by the SDK's version."""
    program = toolchain.path(f"pulumi-resource-{name}")
    folder = home / "plugins" / f"resource-{name}-v{version(f'pulumi-{name}')}"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / program.name
    link.unlink(missing_ok=True)
    link.symlink_to(program)


def _place(program: Path, target: Path) -> None:
    """The program itself at `target`: a link would be followed back to where it came from."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(program)
    except OSError:
        shutil.copy(program, target)
