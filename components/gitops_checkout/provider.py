"""How Pulumi previews and writes a checkout of the GitOps repository.

Pulumi keeps a reference to this class in its state: it stays small, here, and without fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)

from gitops import checkout, report, worktree
from gitops.file import File, Ownership
from settings.files import ROOT
from settings.problems import UserError

Properties = dict[str, Any]


class CheckoutProvider(ResourceProvider):
    """Writes generated files into a checkout; their texts are the inputs, by ownership and path.

    Inputs: `checkout` (a folder, relative to the program), `url` (the repository it must belong
    to), and a map of path to text for each ownership: `managed`, `seeded`, `version`.
    """

    serialize_as_secret_always = False

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Refuses a folder that is no checkout of `url`; says what will be written and skipped.

        The inputs that come out differ from the last ones exactly by what will be written, so
        that a preview shows that and nothing else: a file that is skipped has its last text, and
        `pending` names what the checkout needs although no text has changed.
        """
        fault = worktree.problem(_folder(news), news["checkout"], news["url"])
        if fault:
            return CheckResult(news, [CheckFailure("checkout", fault)])
        try:
            plan = _plan(news)
        except (UserError, OSError) as error:
            return CheckResult(news, [CheckFailure("checkout", str(error))])
        _say(news, report.lines(plan))
        texts = _texts(olds, news, skipped={change.path for change in plan.skipped})
        return CheckResult(news | texts | {"pending": _pending(olds, news, plan)}, [])

    def diff(self, _id: str, _olds: Properties, news: Properties) -> DiffResult:
        """There is a change if something would be written; the inputs tell Pulumi what (None)."""
        return DiffResult(changes=None if _plan(news).writes else False)

    def create(self, props: Properties) -> CreateResult:
        checkout.apply(_folder(props), _plan(props))
        return CreateResult("checkout", _outputs(props))

    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        checkout.apply(_folder(news), _plan(news))
        return UpdateResult(_outputs(news))

    def delete(self, _id: str, props: Properties) -> None:
        """Deletes nothing: the repository outlives the stack."""
        _say(props, ["every file stays: delete and commit what is no longer needed"])


def _outputs(props: Properties) -> Properties:
    """What the state keeps beside the inputs: without the texts."""
    return {"checkout": props["checkout"], "url": props["url"]}


def _folder(props: Properties) -> Path:
    return ROOT / str(props["checkout"])


def _plan(props: Properties) -> checkout.Plan:
    tree = {
        path: File(text=text, ownership=ownership)
        for ownership in Ownership
        for path, text in props[ownership].items()
    }
    return checkout.plan(_folder(props), tree)


def _texts(olds: Properties, news: Properties, skipped: set[str]) -> Properties:
    """The texts of `news`, but those of `olds` for the paths in `skipped`."""
    last = _by_path(olds)
    return {
        ownership.value: {
            path: last.get(path, text) if path in skipped else text
            for path, text in news[ownership].items()
        }
        for ownership in Ownership
    }


def _pending(olds: Properties, news: Properties, plan: checkout.Plan) -> dict[str, str]:
    """What will be written although its text is the one that was written last, and why.

    Never equal to the last one while there is something to write: Pulumi would see no difference.
    """
    last, wanted = _by_path(olds), _by_path(news)
    pending = {
        change.path: change.action.value
        for change in plan.writing
        if last.get(change.path) == wanted.get(change.path)
    }
    if not plan.writing:
        pending = dict.fromkeys(plan.locks, "update")
    before = olds.get("pending", {})
    return {
        path: f"{reason} again" if before.get(path) == reason else reason
        for path, reason in pending.items()
    }


def _by_path(props: Properties) -> dict[str, str]:
    return {
        path: text for ownership in Ownership for path, text in props.get(ownership, {}).items()
    }


def _say(props: Properties, lines: Iterable[str]) -> None:
    """Prints to where Pulumi shows it: the diagnostics of the preview and of the update."""
    for line in lines:
        print(f"{props['checkout']}: {line}", flush=True)
