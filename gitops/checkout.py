"""Writes a tree of generated files into a folder, or plans it.

A preview lists a removal, `apply` removes the file from the checkout, and a person commits it.
Files that are in no lock and not generated are never read.

Each scope of the repository (`shared`, each environment) has a lock of its own, so stacks that
write one after the other never disturb each other. Files are replaced atomically and locks are
written last: after an interruption, the files already written count as generated.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gitops import layout, lock
from gitops.file import File, Tree
from gitops.ownership import WRITING, Action, decide, locked_after
from gitops.safe_paths import refuse_unsafe


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one path, or why it is kept."""

    path: str
    action: Action
    file: File | None
    """What is generated; None for what is no longer."""
    before: bytes | None
    """What is there now; None for nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `apply` would do, and the files that differ and are kept."""

    changes: tuple[Change, ...]
    """Sorted by path."""
    locks: dict[str, str]
    """The texts of the lock files that have to be written, by path."""

    @property
    def writing(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in WRITING)

    @property
    def skipped(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action not in WRITING)

    @property
    def drift(self) -> tuple[Change, ...]:
        """The files that should be as generated and are not."""
        return tuple(change for change in self.changes if change.action is Action.KEEP_DRIFT)

    @property
    def writes(self) -> bool:
        """Whether `apply` would write anything at all, be it a lock."""
        return bool(self.writing or self.locks)


def plan(root: Path, tree: Tree) -> Plan:
    """What `apply` would do in the folder `root`, which need not exist. Reads only.

    Raises LockError for a broken lock and UnsafePathError for symbolic links, folders where files
    belong and files where folders belong, all of them together.
    """
    scopes = sorted({layout.scope_of(path) for path in tree})
    old = {scope: _read_lock(root, scope) for scope in scopes}
    locked = {path: value for hashes in old.values() for path, value in hashes.items()}
    paths = sorted(tree.keys() | locked.keys())
    refuse_unsafe(root, [*paths, *map(layout.lock, scopes)])

    changes: list[Change] = []
    new: dict[str, dict[str, str]] = {scope: {} for scope in scopes}
    for path in paths:
        file, before, last = tree.get(path), _read(root / path), locked.get(path)
        action = decide(file, before, last) or _mode(file, root / path, before)
        if action:
            changes.append(Change(path=path, action=action, file=file, before=before))
        value = locked_after(action, file, before, last)
        if value:
            new[layout.scope_of(path)][path] = value
    locks = {
        layout.lock(scope): lock.dump(new[scope]) for scope in scopes if new[scope] != old[scope]
    }
    return Plan(changes=tuple(changes), locks=locks)


def apply(root: Path, planned: Plan) -> None:
    """Carries `planned` out in the folder `root`, which is created if need be."""
    for change in planned.writing:
        target = root / change.path
        if change.file is None:
            target.unlink(missing_ok=True)
            _remove_empty_folders(root, target.parent)
        else:
            _write(target, change.file.text, executable=change.file.executable)
    for path, text in planned.locks.items():
        _write(root / path, text, executable=False)


def _mode(file: File | None, target: Path, before: bytes | None) -> Action | None:
    """A generated script without the executable bit is written again."""
    if file is None or not file.executable or file.text.encode() != before:
        return None
    return None if os.access(target, os.X_OK) else Action.UPDATE


def _read_lock(root: Path, scope: str) -> dict[str, str]:
    path = layout.lock(scope)
    refuse_unsafe(root, [path])
    content = _read(root / path)
    return lock.parse(scope, content.decode(errors="replace")) if content is not None else {}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(target: Path, text: str, *, executable: bool) -> None:
    """Replaces `target` in one step: a reader sees the old content or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".scaffold-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
        Path(name).chmod(0o755 if executable else 0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise


def _remove_empty_folders(root: Path, folder: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
