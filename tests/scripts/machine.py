"""The machine that the scripts find: its Python, its Git, its locale, its tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MINORS = range(9, 16)
"""Of Python 3: the oldest that is supported, up to the newest that may be found."""
SYSTEM = "/usr/local/bin:/usr/bin:/bin"
STARTERS_NEED = ("dirname", "readlink")
"""What the few lines of shell use that start the scripts, beside what a shell has built in."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What differs between people's machines; empty is what the tests' own machine has."""

    name: str = "this machine"
    python: str = ""
    git: str = ""
    """A program."""
    locale: str = ""
    bare: bool = False
    """Whether there are busybox's tools only; where it is missing, only `STARTERS_NEED`."""

    def install(self, programs: Path) -> None:
        """Puts its programs into a folder that comes first in PATH."""
        if self.bare:
            _install_tools(programs)
        for name, own in (("python3", self.python), ("git", self.git)):
            program = own or (shutil.which(name, path=SYSTEM) if self.bare else None)
            if program:
                (programs / name).unlink(missing_ok=True)
                (programs / name).symlink_to(program)

    def environ(self, programs: Path) -> dict[str, str]:
        """PATH and the locale."""
        path = str(programs) if self.bare else f"{programs}:{SYSTEM}"
        spoken = {"LC_ALL": self.locale, "LANG": self.locale} if self.locale else {}
        return {"PATH": path, **spoken}


def _install_tools(programs: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        for name in STARTERS_NEED:
            (programs / name).symlink_to(str(shutil.which(name, path=SYSTEM)))
        return
    done = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for name in done.stdout.split():
        if not (programs / name).exists():
            (programs / name).symlink_to(busybox)


def of_the_environment() -> Machine:
    """The machine that whoever runs the tests asks for."""
    said = os.environ
    return Machine(
        name=said.get("MACHINE_NAME", "this machine"),
        python=said.get("MACHINE_PYTHON", ""),
        git=said.get("MACHINE_GIT", ""),
        locale=said.get("MACHINE_LOCALE", ""),
        bare=said.get("MACHINE_BARE", "") == "yes",
    )


def found() -> list[Machine]:
    """The machines that can be had here, one difference each."""
    pythons = [Machine(name=f"Python {v}", python=path) for v, path in _pythons()]
    gits = [Machine(name=f"Git of {path}", git=path) for path in _gits()]
    return [
        *pythons,
        *gits,
        Machine(name="locale C", locale="C"),
        Machine(name="locale C.UTF-8", locale="C.UTF-8"),
        Machine(name="busybox's tools" if shutil.which("busybox") else "no tools", bare=True),
    ]


def _pythons() -> Iterator[tuple[str, str]]:
    """Each supported version that is installed, and its program, whatever shim leads to it."""
    for minor in MINORS:
        name = f"python3.{minor}"
        folders = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin"))
        for place in (shutil.which(name), *(str(folder / name) for folder in folders)):
            if place is None:
                continue
            asked = subprocess.run(
                [place, "-I", "-c", "import sys; print(sys._base_executable)"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if asked.returncode == 0:
                yield f"3.{minor}", asked.stdout.strip()
                break


def _gits() -> list[str]:
    """Git programs beside the machine's own, as MATRIX_GITS lists them."""
    return [path for path in os.environ.get("MATRIX_GITS", "").split(":") if path]
