"""What happens to a generated file that may have been edited.

An edited file is kept. For each path, with the hash of what was last written (the lock):

| in the folder            | managed            | seeded             | version            |
| ------------------------ | ------------------ | ------------------ | ------------------ |
| as generated             | nothing            | nothing            | nothing            |
| missing, never written   | create             | create             | create             |
| missing, written before  | create             | keep it deleted    | keep it deleted    |
| untouched, template new  | update             | update             | see below          |
| edited                   | keep, say drift    | keep, the team's   | see below          |
| there, never written     | keep, say whose    | keep, say whose    | see below          |
| no longer generated      | remove where untouched or released; else keep and say so    |

A version file that a release wrote stays and is not reported. It is rewritten only where the
service follows a moving tag, because there are no releases then. One that no release could have
written is kept and reported as drift.

The hash of what was last written comes from the lock.
"""

from __future__ import annotations

from enum import StrEnum

from gitops.file import File, Ownership
from gitops.lock import hash_of
from gitops.version import UNRELEASED, is_version_file


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


def decide(file: File | None, before: bytes | None, locked: str | None) -> Action | None:
    """The action of this module's table; None where there is none.

    file: what is generated, None for what is no longer; before: what is there, None for
    nothing; locked: the hash of what was last written, None for nothing.
    """
    if file is None:
        return _obsolete(before, locked)
    if before is None:
        gone = locked is not None and file.ownership is not Ownership.MANAGED
        return Action.KEEP_DELETED if gone else Action.CREATE
    if before == file.text.encode():
        return None
    if file.ownership is Ownership.VERSION:
        return _version(file, before)
    return _differing(file, before, locked)


def _differing(file: File, before: bytes, locked: str | None) -> Action:
    if hash_of(before) == locked:
        return Action.UPDATE
    if locked is None:
        return Action.KEEP_FOREIGN
    if file.ownership is Ownership.MANAGED:
        return Action.KEEP_DRIFT
    same_template = hash_of(file.text.encode()) == locked
    return Action.KEEP_OWN if same_template else Action.KEEP_BEHIND


def _obsolete(before: bytes | None, locked: str | None) -> Action | None:
    if before is None:
        return None
    ours = hash_of(before) == locked or _by_release(before)
    return Action.REMOVE if ours else Action.KEEP_OBSOLETE


def _version(file: File, before: bytes) -> Action | None:
    if not _by_release(before):
        return Action.KEEP_DRIFT
    return None if file.text in UNRELEASED else Action.UPDATE


def _by_release(content: bytes) -> bool:
    return is_version_file(content.decode(errors="replace"))


def locked_after(
    action: Action | None, file: File | None, before: bytes | None, locked: str | None
) -> str | None:
    """The hash for the lock afterwards: of what was last written, or found as generated."""
    if file is None:
        return locked if action is Action.KEEP_OBSOLETE else None
    wanted = file.text.encode()
    written = action in (Action.CREATE, Action.UPDATE) or wanted == before
    return hash_of(wanted) if written else locked
