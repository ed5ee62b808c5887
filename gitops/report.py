"""A plan as text: what is written, what is kept and why, and the difference."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from gitops.checkout import Change, Plan
from gitops.ownership import Action

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REMOVE: "-"}
_REASONS = {
    Action.REMOVE: "no longer generated, and untouched",
    Action.KEEP_DRIFT: "edited, though it is generated; kept. Delete it to get it back",
    Action.KEEP_OWN: "edited; kept, it is the team's own",
    Action.KEEP_BEHIND: "edited; kept. Its template has changed since: compare with a fresh render",
    Action.KEEP_DELETED: "deleted by the team; stays deleted",
    Action.KEEP_FOREIGN: "a file of your own, where one is generated; kept. Move it to get ours",
    Action.KEEP_OBSOLETE: "no longer generated, but edited; kept. Delete it when it is not needed",
}
_MOST_LINES = 20
"""More changes of one kind than this are counted by folder, as coarsely as it takes."""


def lines(plan: Plan) -> Iterator[str]:
    """One line for each file that is written, removed or kept; many of one kind are summed up."""
    for action in Action:
        changes = [change for change in plan.changes if change.action is action]
        sign, reason = _SIGNS.get(action, "="), _REASONS.get(action)
        for name in _names(changes):
            yield f"{sign} {name}: {reason}" if reason else f"{sign} {name}"
    if not plan.writing:
        yield from (f"~ {path}: notes files that already are as generated" for path in plan.locks)


def diff(plan: Plan) -> Iterator[str]:
    """The unified difference between the folder and what is generated, drift included."""
    for change in plan.changes:
        if change in plan.writing or change in plan.drift:
            yield from _unified(change)


def _names(changes: list[Change]) -> list[str]:
    """The paths; when they are many, the folders and how many files are in each."""
    names = [change.path for change in changes]
    for depth in (3, 2, 1):
        if len(names) <= _MOST_LINES:
            break
        names = _by_folder(changes, depth)
    return names


def _by_folder(changes: list[Change], depth: int) -> list[str]:
    folders: dict[str, list[str]] = {}
    for change in changes:
        *parents, name = change.path.split("/")
        folders.setdefault("/".join(parents[:depth]) or name, []).append(change.path)
    return [
        f"{folder}/ ({len(paths)} files)" if len(paths) > 1 else paths[0]
        for folder, paths in folders.items()
    ]


def _unified(change: Change) -> Iterator[str]:
    before = (change.before or b"").decode(errors="replace")
    after = change.file.text if change.file else ""
    yield from unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        "/dev/null" if change.before is None else f"a/{change.path}",
        f"b/{change.path}" if change.file else "/dev/null",
    )
