# Managed: generated, so change services.yaml or the stack files instead.
"""Scripts that are older than those on origin hand over to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Optional

from release.errors import PRECONDITION, Failure
from release.repository import Repository
from release.terminal import Terminal, one_line

PACKAGE = "scripts/release"
ROOT, SCRATCH = "RELEASE_ROOT", "RELEASE_SCRATCH"
"""Variables for scripts that lie elsewhere: the clone, and a folder for what they need."""


def root() -> str:
    """The clone that the scripts belong to."""
    given = os.environ.get(ROOT) if os.environ.get(SCRATCH) else None
    return given or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def to_the_newest(
    repository: Repository, tip: str, terminal: Terminal, folder: str, words: Sequence[str]
) -> None:
    """Where the tip has other scripts than these, runs those in place of this program."""
    if os.environ.get(SCRATCH):
        return
    theirs = _at(repository, tip)
    if theirs is None or theirs == _own():
        return
    target = os.path.join(folder, "scripts", "release")
    for name, content in theirs.items():
        try:
            compile(content, name, "exec")
        except (SyntaxError, ValueError) as error:
            raise Failure(
                PRECONDITION,
                f"the scripts on origin are broken: {one_line(str(error))}",
                "nothing was changed; revert the commit that broke them",
            ) from error
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)
    terminal.note("this clone's scripts are not those on origin: running origin's")
    _replace(target, folder, repository.clone.root, words)


def _replace(target: str, folder: str, clone: str, words: Sequence[str]) -> NoReturn:
    environ = {**os.environ, ROOT: clone, SCRATCH: folder}
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    command = [sys.executable, "-I", "-B", target, *words]
    os.execve(sys.executable, command, environ)  # noqa: S606 - no shell


def _at(repository: Repository, tip: str) -> Optional[dict[str, bytes]]:
    entries = repository.entries(tip, PACKAGE)
    files = {p: e for p, e in entries.items() if e.is_file and p.endswith(".py")}
    if f"{PACKAGE}/__main__.py" not in files:
        return None
    contents = repository.read(e.object for e in files.values())
    return {p[len(PACKAGE) + 1 :]: contents[e.object] or b"" for p, e in files.items()}


def _own() -> dict[str, bytes]:
    folder = os.path.dirname(os.path.abspath(__file__))
    found = {}
    for name in os.listdir(folder):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as stream:
                found[name] = stream.read().replace(b"\r\n", b"\n")
    return found
