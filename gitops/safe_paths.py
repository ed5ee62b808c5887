"""Refuses paths that lead out of the folder or are blocked by something else."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from settings.problems import UserError


class UnsafePathError(UserError):
    """A path that a generated file needs is unsafe to write."""

    def __init__(self, root: Path, places: dict[str, str]) -> None:
        lines = "\n".join(f"  - {path}: {what}" for path, what in sorted(places.items()))
        super().__init__(f"{root}: nothing was written; move these away first:\n{lines}")


def refuse_unsafe(root: Path, paths: Iterable[str]) -> None:
    """Raises UnsafePathError with everything below `root` that makes a path unsafe."""
    unsafe: dict[str, str] = {}
    for path in paths:
        for place, is_file in _steps(path):
            what = _unsafe(root / place, is_file=is_file)
            if what:
                unsafe[place] = what
                break
    if unsafe:
        raise UnsafePathError(root, unsafe)


def _steps(path: str) -> Iterator[tuple[str, bool]]:
    """Every folder on the way to `path`, then `path` itself, and whether it is the file."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count]), False
    yield path, True


def _unsafe(path: Path, *, is_file: bool) -> str | None:
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(mode):
        return "is a symbolic link, which may lead out of the checkout"
    if is_file and not stat.S_ISREG(mode):
        return "is no file, and a generated file belongs there"
    if not is_file and not stat.S_ISDIR(mode):
        return "is no folder, and generated files belong in it"
    return None
