"""What the Pulumi CLI of the lab lacks, as thin launchers: it finds them by name and version.

The language host runs the program, the dynamic provider host is the SDK's own, the AWS provider
is the lab's, and the Kubernetes provider is the real one.
"""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from lab.site import CHECKOUT
from lab.toolchain import Toolchain

MODULES = {
    "pulumi-language-python": "lab.pulumi_hosts.language",
    "pulumi-resource-pulumi-python": "pulumi.dynamic",
}


def install(home: Path, toolchain: Toolchain) -> Path:
    """Writes the launchers below `home` (PULUMI_HOME); returns the folder to put on PATH.

    The CLI is put beside its hosts, as in Pulumi's own releases: from there it takes them
    without a warning. Raises MissingToolError where something is not built.
    """
    launchers = home / "bin"
    _place(toolchain.path("pulumi"), launchers / "pulumi")
    for name, module in MODULES.items():
        _write(launchers / name, module)
    _write(_plugin(home, "aws") / "pulumi-resource-aws", "lab.aws")
    link = _plugin(home, "kubernetes") / "pulumi-resource-kubernetes"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(toolchain.path("pulumi-resource-kubernetes"))
    return launchers


def _place(program: Path, target: Path) -> None:
    """The program itself at `target`: a link would be followed back to where it came from."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(program)
    except OSError:
        shutil.copy(program, target)


def _plugin(home: Path, package: str) -> Path:
    """Where the CLI looks for the provider that the SDK `pulumi-<package>` asks for."""
    return home / "plugins" / f"resource-{package}-v{version(f'pulumi-{package}')}"


def _write(launcher: Path, module: str) -> None:
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(
        "#!/bin/sh\n"
        f'export PYTHONPATH="{CHECKOUT}${{PYTHONPATH:+:$PYTHONPATH}}"\n'
        f'exec "{sys.executable}" -u -m {module} "$@"\n'
    )
    launcher.chmod(0o755)
