"""A release by pull request: a branch with the commit, and a text for those who review it."""

from __future__ import annotations

import hashlib

from release.context import Context
from release.errors import REMOTE, Failure
from release.plan import ROLLBACK, Plan
from release.preparation import Prepared
from release.pullrequests import Host, branch_name
from release.release import reasons, unknown
from release.rendercommand import report
from release.repository import Unreachable
from release.terminal import visible

_LIMIT = 65000
"""Characters of a text; GitHub takes 65536."""
_ROWS = 100
"""Services in the table, and notes; the title says how many services there are."""
_LEAST = 1000
"""Characters that the difference gets in any case."""
_REPORT = 200
"""Characters of a report beside its difference."""
_TOO_MANY = (
    "Their trailers have no room here. Merge with a merge commit or by rebase: after a squashed "
    "merge the history would not know who released what."
)


class Proposal:
    """Pushes a release as a branch and opens, or updates, its pull request."""

    def __init__(self, context: Context) -> None:
        """Raises Failure where the Git host cannot be asked: before anything is pushed."""
        self.context = context
        self._host = Host(context.repository.url, context.environ)

    def __call__(self, prepared: Prepared, commit: str, message: str) -> None:
        repository, terminal = self.context.repository, self.context.terminal
        plan = prepared.plan
        moves = sorted(f"{c.place.service} {c.version} {c.digest}" for c in plan.changes)
        branch = branch_name(
            plan.environment,
            plan.kind,
            [change.place.name for change in plan.changes],
            hashlib.sha256("\n".join(moves).encode()).hexdigest(),
        )
        expected = repository.branch_tip(branch)
        self.context.clone.run_pre_push_hook(
            repository.folder, repository.url, commit, branch, expected or "0" * len(commit)
        )
        self.context.pushing = True
        ran = repository.push(commit, branch, expected)
        try:
            there = repository.branch_tip(branch)
        except Unreachable as error:
            raise unknown(ran, error, f"git ls-remote origin {branch}") from error
        self.context.pushing = False
        if there != commit:
            raise Failure(
                REMOTE,
                f"origin refused the branch {branch}; nothing was changed:"
                if ran.code
                else f"origin took the push, but its {branch} does not have the commit",
                *reasons(ran.words),
            )
        terminal.committed = f"the branch {branch} was pushed"
        title = message.split("\n", 1)[0]
        opened = self._host.open(branch, repository.branch, title, visible(text(prepared, message)))
        terminal.say(f"{terminal.green('proposed')}: {opened.address}")
        word = "rollback" if plan.kind == ROLLBACK else "promotion"
        terminal.say(
            f"merging it is the {word}; then approve the sync in Argo CD of {plan.environment}"
        )


def text(prepared: Prepared, message: str) -> str:
    """What a reviewer reads: services, what was checked, the difference, and the trailers."""
    plan = prepared.plan
    parts = ["| service | runs | will run |", "| --- | --- | --- |"]
    parts += [
        f"| {c.place.service} | {c.previous} | {c.version}{_marks(plan, n)} |"
        for n, c in enumerate(plan.changes[:_ROWS])
    ]
    if len(plan.changes) > _ROWS:
        parts.append(f"| and {len(plan.changes) - _ROWS} more | | |")
    parts += ["", *(f"- {note}" for note in [*plan.notes, *prepared.notes][:_ROWS])]
    parts += [
        "",
        "Checked: every service renders, and runs exactly the image that is named here; no patch "
        "is left out; no kind and no change of a field that the cluster would refuse.",
        "",
    ]
    told, end = "\n".join(parts), trailers(message)
    if len(told) + len(end) > _LIMIT - _LEAST:
        end = _TOO_MANY
    room = max(_LIMIT - _REPORT - len(told) - len(end), _LEAST)
    return "\n".join([told, report(prepared.shown, room), "", end])


def _marks(plan: Plan, number: int) -> str:
    change = plan.changes[number]
    marks = [
        word
        for word, has in (
            ("configuration only", change.is_configuration_only),
            ("goes back", change.goes_back),
            ("HOTFIX", change.hotfix),
            ("UNTESTED", change.untested),
            ("UNVERIFIED", change.unverified),
        )
        if has
    ]
    return f" ({', '.join(marks)})" if marks else ""


def trailers(message: str) -> str:
    """The end of a commit's message, so that a squashed merge records the same."""
    return "\n".join(line for line in message.split("\n") if line.startswith("Release-"))
