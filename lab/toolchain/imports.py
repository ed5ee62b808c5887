"""A copy of a Go module in which a file imports fewer packages for their effects.

Programs with plugins import all of them in one file: `import _ "…/plugin"`. What is not imported is
not compiled, and neither is what it needs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from settings import UserError

_FOR_ITS_EFFECTS = re.compile(r'^\t_ "([^"]+)".*\n', re.MULTILINE)


class UnknownImportsError(UserError):
    """A file does not import what it is to keep; the message names it."""

    def __init__(self, file: str, unknown: Sequence[str]) -> None:
        super().__init__(f"{file} of the module does not import {', '.join(unknown)}")


def keep_imports(module: Path, target: Path, kept: Mapping[str, Sequence[str]]) -> None:
    """Copy the module to `target`; of each file in `kept` only those imports stay.

    Raises:
        UnknownImportsError: a file does not have one of them.
    """
    shutil.copytree(module, target, copy_function=shutil.copyfile)
    for folder in (target, *target.rglob("*/")):
        folder.chmod(0o755)  # Go's module cache is read-only
    for file, packages in kept.items():
        text = (target / file).read_text(encoding="utf-8")
        there = _FOR_ITS_EFFECTS.findall(text)
        if unknown := [name for name in packages if name not in there]:
            raise UnknownImportsError(file, unknown)
        (target / file).write_text(_keeping(text, packages), encoding="utf-8")


def _keeping(text: str, packages: Sequence[str]) -> str:
    return _FOR_ITS_EFFECTS.sub(lambda one: one[0] if one[1] in packages else "", text)
