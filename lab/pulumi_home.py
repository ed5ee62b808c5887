"""PULUMI_HOME of the lab: the real CLI and providers, and the lab's language hosts."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from lab import pulumi_hosts
from lab.toolchain import Toolchain

PLUGINS = ("aws", "kubernetes")
"""The providers that the program needs, by the names of their Pulumi packages."""


def assemble(home: Path, toolchain: Toolchain) -> Path:
    """Fill `home` (PULUMI_HOME); returns the folder of the CLI and its hosts, for PATH.

    The CLI is in one folder with its hosts, as in Pulumi's releases; otherwise it prints a warning.
    Raises MissingToolError if a program is not built.
    """
    programs = home / "bin"
    pulumi_hosts.install(programs)
    _place(toolchain.path("pulumi"), programs / "pulumi")
    for name in PLUGINS:
        _install(name, home, toolchain)
    return programs


def _install(name: str, home: Path, toolchain: Toolchain) -> None:
    """Link a provider to the path at which the CLI looks for the SDK's version of it."""
    program = toolchain.path(f"pulumi-resource-{name}")
    folder = home / "plugins" / f"resource-{name}-v{version(f'pulumi-{name}')}"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / program.name
    link.unlink(missing_ok=True)
    link.symlink_to(program)


def _place(program: Path, target: Path) -> None:
    """Put the program itself at `target`: the CLI would follow a link to the original folder."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(program)
    except OSError:
        shutil.copy(program, target)
