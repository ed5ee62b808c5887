"""A copy of a Go module in which a file imports fewer plugins.

Programs with plugins import all of them in one file: for their effects, `import _ "…/plugin"`, or
for a table, `"plugin": plugin.New,`. What is not imported is not compiled, and neither is what it
needs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from settings.problems import UserError

_IMPORT = re.compile(r'^\t(_ )?"([^"]+)".*\n', re.MULTILINE)
_ENTRY = r"^\t+[^\n]*: +{name}\.\w+,\n"
"""A line of a table that a package is used in."""


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
        plugins = [name for name in _imported(text) if _is_plugin(text, name)]
        if unknown := [name for name in packages if name not in plugins]:
            raise UnknownImportsError(file, unknown)
        for name in plugins:
            if name not in packages:
                text = _without(text, name)
        (target / file).write_text(text, encoding="utf-8")


def _imported(text: str) -> list[str]:
    return [found[2] for found in _IMPORT.finditer(text)]


def _is_plugin(text: str, package: str) -> bool:
    """Whether a package is imported for its effects, or for entries of tables alone."""
    if f'\t_ "{package}"' in text:
        return True
    uses = re.findall(rf"\b{_name(package)}\.", text)
    return bool(uses) and len(uses) == len(re.findall(_entry(package), text, re.MULTILINE))


def _without(text: str, package: str) -> str:
    text = re.sub(rf'^\t(_ )?"{re.escape(package)}".*\n', "", text, flags=re.MULTILINE)
    return re.sub(_entry(package), "", text, flags=re.MULTILINE)


def _entry(package: str) -> str:
    return _ENTRY.format(name=_name(package))


def _name(package: str) -> str:
    return re.escape(package.rpartition("/")[2])
