"""A folder and a tree: what writing the tree there would do, and doing it.

Whoever edited a file keeps it. For each path, with the hash of what was last written (the lock):

| in the folder            | managed            | seeded             | version            |
| ------------------------ | ------------------ | ------------------ | ------------------ |
| as generated             | nothing            | nothing            | nothing            |
| missing, never written   | create             | create             | create             |
| missing, written before  | create             | keep it deleted    | keep it deleted    |
| untouched, template new  | update             | update             | see below          |
| edited                   | keep, say drift    | keep, the team's   | see below          |
| there, never written     | keep, say whose    | keep, say whose    | see below          |
| no longer generated      | remove where untouched or released; else keep and say so    |

A version file that a release wrote stays, and nobody is told: that is what it is for. Only where
the service follows a moving tag, which nobody releases, is it rewritten. One that no release
could have written is kept and reported as drift.

A removal is a proposal: a preview lists it, `apply` carries it out in the checkout, and a person
commits it. Files that are in no lock and not generated are never looked at.

Each part of the repository (`shared`, each environment) has a lock of its own, so stacks that
write one after the other never disturb each other. Files are replaced atomically and locks are
written last: after an interruption, the files already written count as generated.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gitops import lock
from gitops.file import File, Ownership, Tree, part_of
from gitops.version import UNRELEASED_HELM, UNRELEASED_KUSTOMIZE, is_version_file


class Action(StrEnum):
    """What happens to a file; the first three write."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    KEEP_DRIFT = "keep drift"
    """A managed file that was edited, or a version file that no release could have written."""
    KEEP_OWN = "keep own"
    """A seeded file that the team has edited; its template is as it was."""
    KEEP_BEHIND = "keep behind"
    """A seeded file that the team has edited, while its template moved on."""
    KEEP_DELETED = "keep deleted"
    """A file that the team has deleted."""
    KEEP_FOREIGN = "keep foreign"
    """A file that was there before one was generated at its path."""
    KEEP_OBSOLETE = "keep obsolete"
    """A file that is no longer generated, and edited."""


WRITING = frozenset({Action.CREATE, Action.UPDATE, Action.REMOVE})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one path, or why nothing does."""

    path: str
    action: Action
    file: File | None
    """What is generated; None for what is no longer."""
    before: bytes | None
    """What stands there; None for nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that `apply` would do, and every file that it would keep though it differs."""

    changes: tuple[Change, ...]
    """Sorted by path."""
    locks: dict[str, str]
    """The texts of the lock files that have to be written, by path."""

    @property
    def writing(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in WRITING)

    @property
    def kept(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action not in WRITING)

    @property
    def drift(self) -> tuple[Change, ...]:
        """The files that should be as generated and are not."""
        return tuple(change for change in self.changes if change.action is Action.KEEP_DRIFT)

    @property
    def writes(self) -> bool:
        """Whether `apply` would write anything at all, be it a lock."""
        return bool(self.writing or self.locks)


class UnsafePathError(Exception):
    """Something stands where a generated file belongs, and writing there could do harm."""

    def __init__(self, root: Path, places: dict[str, str]) -> None:
        lines = "\n".join(f"  - {path}: {what}" for path, what in sorted(places.items()))
        super().__init__(f"{root}: nothing was written; move these away first:\n{lines}")


def plan(root: Path, tree: Tree) -> Plan:
    """What `apply` would do in the folder `root`, which need not exist. Reads only.

    Raises LockError for a broken lock and UnsafePathError for symbolic links, folders where files
    belong and files where folders belong, all of them together.
    """
    parts = sorted({part_of(path) for path in tree})
    old = {part: _read_lock(root, part) for part in parts}
    locked = {path: value for hashes in old.values() for path, value in hashes.items()}
    paths = sorted(tree.keys() | locked.keys())
    _refuse_unsafe(root, [*paths, *map(lock.lock_path, parts)])

    changes: list[Change] = []
    new: dict[str, dict[str, str]] = {part: {} for part in parts}
    for path in paths:
        file, before = tree.get(path), _read(root / path)
        wanted = file.text.encode() if file else None
        action = _action(root / path, file, before, locked.get(path))
        if action:
            changes.append(Change(path=path, action=action, file=file, before=before))
        value = _locked_after(action, wanted, before, locked.get(path))
        if value:
            new[part_of(path)][path] = value
    locks = {
        lock.lock_path(part): lock.dump(new[part])
        for part in parts
        if new[part] != old[part] or not (root / lock.lock_path(part)).exists()
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


def _action(
    target: Path, file: File | None, before: bytes | None, locked: str | None
) -> Action | None:
    """What the table of this module says; None where nothing is to be done or said."""
    if file is None:
        return _obsolete(before, locked)
    if before is None:
        gone = locked is not None and file.ownership is not Ownership.MANAGED
        return Action.KEEP_DELETED if gone else Action.CREATE
    if before == file.text.encode():
        return Action.UPDATE if file.executable and not os.access(target, os.X_OK) else None
    if file.ownership is Ownership.VERSION:
        return _version(file, before)
    return _differing(file, before, locked)


def _differing(file: File, before: bytes, locked: str | None) -> Action:
    if lock.hash_of(before) == locked:
        return Action.UPDATE
    if locked is None:
        return Action.KEEP_FOREIGN
    if file.ownership is Ownership.MANAGED:
        return Action.KEEP_DRIFT
    same_template = lock.hash_of(file.text.encode()) == locked
    return Action.KEEP_OWN if same_template else Action.KEEP_BEHIND


def _obsolete(before: bytes | None, locked: str | None) -> Action | None:
    if before is None:
        return None
    ours = lock.hash_of(before) == locked or _by_release(before)
    return Action.REMOVE if ours else Action.KEEP_OBSOLETE


def _version(file: File, before: bytes) -> Action | None:
    if not _by_release(before):
        return Action.KEEP_DRIFT
    return None if file.text in (UNRELEASED_KUSTOMIZE, UNRELEASED_HELM) else Action.UPDATE


def _by_release(content: bytes) -> bool:
    return is_version_file(content.decode(errors="replace"))


def _locked_after(
    action: Action | None, wanted: bytes | None, before: bytes | None, locked: str | None
) -> str | None:
    """The hash that the lock holds afterwards: what was last written, or found as generated."""
    if action in (Action.CREATE, Action.UPDATE) or (wanted is not None and wanted == before):
        return lock.hash_of(wanted or b"")
    if action is Action.REMOVE or (wanted is None and before is None):
        return None
    return locked


def _read_lock(root: Path, part: str) -> dict[str, str]:
    path = lock.lock_path(part)
    _refuse_unsafe(root, [path])
    content = _read(root / path)
    return lock.parse(path, content.decode(errors="replace")) if content is not None else {}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _refuse_unsafe(root: Path, paths: list[str]) -> None:
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


def _write(target: Path, text: str, *, executable: bool) -> None:
    """Replaces `target` in one step: whoever reads it sees the old content or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".scaffold-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
        Path(name).chmod(0o755 if executable else 0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_empty_folders(root: Path, folder: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
