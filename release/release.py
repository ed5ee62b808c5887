"""A release: plan it, show what it changes, ask, commit, push. Whole, or nothing.

Promotion, rollback and delivery by a pipeline differ in their plan only.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Callable, Optional

from release.context import Context
from release.errors import DECLINED, PRECONDITION, REMOTE, Failure
from release.git import Person, without_secrets
from release.plan import ROLLBACK, Plan, message, summary
from release.preparation import Preparation, Prepared
from release.processes import Ran
from release.repository import Unreachable, is_contention
from release.terminal import one_line, visible

ATTEMPTS = 20
_REASONS = 20
"""Lines of a refusal that are shown."""


class Release:
    """One run of a command that changes what an environment runs."""

    def __init__(self, context: Context, make_plan: Callable[[], Plan]) -> None:
        self.context, self.repository = context, context.repository
        self.terminal = context.terminal
        self._make_plan = make_plan
        self.idle: Callable[[], str] = lambda: "already up to date"
        """What is said where there is nothing to do."""
        self._shown: list[str] = []
        self._first: Optional[Plan] = None
        """What was planned before another push."""
        self._preparation = Preparation(context)

    def run(
        self,
        question: str,
        *,
        author: Person,
        committer: Person,
        yes: bool = False,
        dry_run: bool = False,
        renders: bool = True,
        body: Sequence[str] = (),
        more: Callable[[], Sequence[str]] = tuple,
        propose: Optional[Callable[[Prepared, str, str], None]] = None,
    ) -> Optional[str]:
        """The commit on the branch; None where there was nothing to do. Raises Failure.

        renders: whether the environment applies rendered manifests, which are shown.
        propose: what is done with the commit and its message in place of a push to the branch.
        """
        how = self._preparation
        prepare = how.prepare if renders else how.versions_only
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                self.repository.follow()
            plan = self._make_plan()
            if yes:
                self._refuse_surprises(plan)
            prepared = prepare(plan)
            if not prepared.plan.changes:
                for line in [*plan.notes, self.idle()]:
                    self.terminal.say(line)
                return None
            if renders and not self._show_and_ask(prepared, question, yes=yes, dry_run=dry_run):
                return None
            text = message(prepared.plan, author, body, more())
            commit = self._commit(prepared, text, author, committer)
            if propose is not None:
                propose(prepared, commit, text)
                return None
            if self._push(commit, attempt):
                self.terminal.committed = "the release is on the branch"
                return commit
            self.terminal.note("the branch has moved meanwhile; planning again")
            # Many pipelines may be waiting for the same moment: spread them.
            time.sleep(attempt / 4 + random.random())  # noqa: S311 - no secret depends on it
        raise Failure(
            REMOTE,
            f"others were faster {ATTEMPTS} times in a row; nothing was changed",
            "try again",
        )

    def _commit(self, prepared: Prepared, text: str, author: Person, committer: Person) -> str:
        """The commit of exactly what was prepared, on no branch yet. Raises Failure."""
        tree = prepared.tree or self.repository.tree_with(self.repository.tip, prepared.files)
        commit = self.repository.commit(tree, text, author, committer)
        self._refuse_strays(commit, prepared)
        return commit

    def _refuse_surprises(self, plan: Plan) -> None:
        """Raises Failure where another release changes the plan that --yes accepted."""
        first = self._first = self._first or plan
        before = {change.place: change for change in first.changes}
        for change in plan.changes:
            known = before.get(change.place)
            if known is None:
                continue
            elsewhere = plan.kind == ROLLBACK and known.version != change.version
            if elsewhere or (change.goes_back and not known.goes_back):
                raise Failure(
                    REMOTE,
                    f"{change.place.service} was released by others meanwhile: {plan.environment} "
                    f"runs {change.previous}, and this would bring {change.version}; nothing was "
                    "changed",
                    "look at the history, and run this again if it is still wanted",
                )

    def _refuse_strays(self, commit: str, prepared: Prepared) -> None:
        """Raises Failure where the commit changes more than was shown."""
        changed = {
            path
            for _, entries in self.repository.changes([(commit, self.repository.tip)])
            for _, _, path in entries
        }
        strays = sorted(changed - prepared.files.keys())
        if strays:
            raise Failure(
                PRECONDITION, f"the commit would change {strays[0]} too; nothing was changed"
            )

    # --- what is shown

    def _show_and_ask(self, prepared: Prepared, question: str, *, yes: bool, dry_run: bool) -> bool:
        """Shows what would change; once, and again only if it is no longer what was shown."""
        fast = self.repository.platform.fast.name
        showing = [
            *self.terminal.difference(prepared.shown),
            *summary(prepared.plan, fast, self.terminal),
            *prepared.notes,
        ]
        if showing == self._shown:
            return True
        if self._shown:
            self.terminal.note("what would change is no longer what you saw:")
        self.terminal.say(
            "\n".join(showing).lstrip("\n") if not prepared.shown else "\n".join(showing)
        )
        self._shown = showing
        if dry_run:
            self.terminal.say("dry run: nothing was changed")
            return False
        if not yes and not self.terminal.confirm(question):
            raise Failure(DECLINED, "not confirmed; nothing was changed")
        return True

    # --- the push

    def _push(self, commit: str, attempt: int) -> bool:
        """Whether the commit is on the branch; False where another push won. Raises Failure."""
        before = self.repository.tip
        self.context.clone.run_pre_push_hook(
            self.repository.folder, self.repository.url, commit, self.repository.branch, before
        )
        self.context.pushing = True
        ran = self.repository.push(commit)
        try:
            landed = self.repository.landed(commit)
        except Unreachable as error:
            raise unknown(ran, error, "scripts/history.sh --limit 5") from error
        self.context.pushing = False
        if landed:
            return True
        if ran.code == 0:
            raise Failure(
                REMOTE,
                f"origin took the push, but its {self.repository.branch} does not have the commit",
                "nothing was released; ask the administrator of the Git host",
            )
        if self.repository.tip != before or (is_contention(ran.words) and attempt < ATTEMPTS // 3):
            return False
        raise Failure(REMOTE, "origin refused the push; nothing was changed:", *reasons(ran.words))


def unknown(ran: Ran, error: Unreachable, look: str) -> Failure:
    """Of a push after which origin does not answer."""
    return Failure(
        REMOTE,
        "the push failed, and origin does not answer: it may or may not have arrived"
        if ran.code
        else "origin took the push and does not answer any more",
        *reasons(ran.words)[:1],
        error.message,
        f"look first, when origin answers: {look}",
    )


def reasons(words: str) -> list[str]:
    """Why a push was refused, in the remote's words where it said some."""
    lines = [
        visible(without_secrets(line.strip()))
        for line in words.replace("\r", "\n").splitlines()
        if line.strip() and not line.startswith(("To ", "error: failed to push", "hint:"))
    ]
    if len(lines) > _REASONS:
        lines = [*lines[:_REASONS], f"and {len(lines) - _REASONS} more lines"]
    return [one_line(line) for line in lines]
