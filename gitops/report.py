"""A plan in words: what is written, what is kept and why, and the difference line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from pathlib import PurePosixPath

from gitops.checkout import Action, Change, Plan

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REMOVE: "-"}
_REASONS = {
    Action.REMOVE: "no longer generated, and untouched",
    Action.KEEP_DRIFT: "edited, though it is generated; kept. Delete it to get it back",
    Action.KEEP_OWN: "edited; kept, it is the team's own",
    Action.KEEP_BEHIND: "edited; kept. Its template has changed since: compare with a fresh render",
    Action.KEEP_DELETED: "deleted by the team; stays deleted",
    Action.KEEP_FOREIGN: "a file of your own, where one is generated; kept. Move it to get ours",
    Action.KEEP_OBSOLETE: "no longer generated, but edited; kept. Delete it when nobody needs it",
}
_MOST_LINES = 20
"""More changes of one kind than this are counted by folder."""


def lines(plan: Plan) -> Iterator[str]:
    """One line for each file that is written, removed or kept; many of one kind are summed up."""
    for action in Action:
        changes = [change for change in plan.changes if change.action is action]
        sign, reason = _SIGNS.get(action, "="), _REASONS.get(action)
        for name in _names(changes):
            yield f"{sign} {name}: {reason}" if reason else f"{sign} {name}"


def diff(plan: Plan) -> Iterator[str]:
    """The unified difference between the folder and what is generated, drift included."""
    for change in plan.changes:
        if change in plan.writing or change in plan.drift:
            yield from _unified(change)


def _names(changes: list[Change]) -> Iterable[str]:
    if len(changes) <= _MOST_LINES:
        return [change.path for change in changes]
    folders = Counter("/".join(PurePosixPath(change.path).parts[:-1][:2]) for change in changes)
    return [
        f"{folder or '.'}/ ({count} file{'s' if count > 1 else ''})"
        for folder, count in sorted(folders.items())
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
