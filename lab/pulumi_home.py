"""Pulumi as the lab runs it: the real CLI and Kubernetes provider, with hosts of the lab."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from lab import aws, pulumi_hosts
from lab.toolchain import Toolchain


def assemble(home: Path, toolchain: Toolchain) -> Path:
    """Fills `home` (PULUMI_HOME) and returns the folder of the CLI and its hosts, for PATH.

    The CLI stands beside its hosts, as in Pulumi's own releases: from there it takes them
    without a warning. Raises MissingToolError where something is not built.
    """
    programs = home / "bin"
    pulumi_hosts.install(programs)
    _place(toolchain.path("pulumi"), programs / "pulumi")
    aws.install(home)
    plugin = home / "plugins" / f"resource-kubernetes-v{version('pulumi-kubernetes')}"
    plugin.mkdir(parents=True, exist_ok=True)
    link = plugin / "pulumi-resource-kubernetes"
    link.unlink(missing_ok=True)
    link.symlink_to(toolchain.path("pulumi-resource-kubernetes"))
    return programs


def _place(program: Path, target: Path) -> None:
    """The program itself at `target`: a link would be followed back to where it came from."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(program)
    except OSError:
        shutil.copy(program, target)
