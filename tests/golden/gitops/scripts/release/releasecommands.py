# Managed: generated, so change services.yaml or the stack files instead.
"""`promote-to-prod.sh` and `rollback-prod.sh`: what is asked for, and what is said at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

from release import arguments
from release.arguments import Arguments
from release.configuration import Environment
from release.context import Context
from release.deployed import short_version
from release.errors import DONE, PRECONDITION, USAGE, Failure
from release.gate import Asked
from release.listing import listing
from release.plan import Plan
from release.promotion import Promotion, Request
from release.proposal import Proposal
from release.release import Release
from release.rivals import rivals
from release.rollback import Rollback
from release.start import Start, follow_or_last_known
from release.versions import require_version

_FLAGS = ("--dry-run", "--yes", "--offline", "--pull-request")
_VALUES = ("--service", "--environment")
"""What both commands take."""


class _Words(NamedTuple):
    """What is asked and printed; {} is the environment."""

    question: str
    done: str
    next_step: str


_PROMOTED = _Words(
    "Promote to {}?",
    "promoted",
    "now approve the sync in Argo CD of {}; to go back: scripts/rollback-prod.sh",
)
_ROLLED_BACK = _Words("Roll {} back?", "rolled back", "now approve the sync in Argo CD of {}")


# --- promote


def promote(start: Start, words: Sequence[str]) -> int:
    given = arguments.parse(
        words,
        flags=(*_FLAGS, "--from-dev", "--configuration", "--untested", "--unverified", "--hotfix"),
        values=(*_VALUES, "--limit", "--accept-findings"),
        takes_words=True,
    )
    version = _version(given, "services in step: --from-dev")
    if given.has("--from-dev") and version:
        raise Failure(USAGE, "either a version or --from-dev, not both")
    if given.has("--configuration") and not given.has("--from-dev"):
        raise Failure(USAGE, "--configuration goes with --from-dev", "see --help")
    limit, names = given.number("--limit"), given.all("--service")
    asked = Asked(
        offline=given.has("--offline"),
        untested=given.has("--untested"),
        unverified=given.has("--unverified"),
        accepted=given.one("--accept-findings") or "",
        hotfix=given.has("--hotfix"),
    )
    if asked.hotfix and (not version or not names or asked.offline):
        words = "--hotfix goes with one version and --service, and asks the registry"
        raise Failure(USAGE, words, "see --help")
    start.reading = not version and not given.has("--from-dev")
    context = start.enter()
    if start.reading:
        follow_or_last_known(context)
        for line in listing(context, _target(context, given), names, asked.offline, limit):
            context.terminal.say(line)
        return DONE
    request = Request(
        version=version,
        names=names,
        from_dev=given.has("--from-dev"),
        configuration=given.has("--configuration"),
        asked=asked,
        yes=given.has("--yes"),
    )
    return _release(
        context,
        given,
        lambda target: lambda: Promotion(context, target, request).plan(),
        _PROMOTED,
    )


# --- rollback


def rollback(start: Start, words: Sequence[str]) -> int:
    given = arguments.parse(words, flags=_FLAGS, values=_VALUES, takes_words=True)
    version, names, offline = _version(given), given.all("--service"), given.has("--offline")
    start.reading = not version and not names
    context = start.enter()
    if start.reading:
        follow_or_last_known(context)
        _list_ways(context, Rollback(context, _target(context, given), None, (), offline=True))
        return DONE
    return _release(
        context,
        given,
        lambda target: Rollback(context, target, version, names, offline).plan,
        _ROLLED_BACK,
    )


def _list_ways(context: Context, rollback: Rollback) -> None:
    say = context.terminal.say
    say(f"{'SERVICE':<40} {'RUNS':<18} WOULD GO BACK TO")
    for service, way in rollback.ways().items():
        back = way.back.running.tag if way.back else "-"
        say(f"{service:<40} {short_version(way.runs):<18} {back}")
    say()
    say("to go back: scripts/rollback-prod.sh --service NAME [VERSION]")


# --- what both do


def _version(given: Arguments, hint: Optional[str] = None) -> Optional[str]:
    version: Optional[str] = None
    for word in given.words:
        require_version(word, foreign=bool(given.all("--service")))
        if version not in (None, word):
            raise Failure(
                USAGE, f"one version at a time: {version} or {word}", *([hint] if hint else [])
            )
        version = word
    return version


def _target(context: Context, given: Arguments) -> Environment:
    return context.repository.platform.target(given.one("--environment"))


def _release(
    context: Context,
    given: Arguments,
    planner: Callable[[Environment], Callable[[], Plan]],
    words: _Words,
) -> int:
    """Plans, asks and releases, as it was asked for."""
    if not given.has("--yes") and not given.has("--dry-run"):
        context.terminal.require_somebody()
    context.clone.refuse_unfinished_work()
    author, committer = context.clone.person()
    context.repository.follow()
    _refuse_rivals(context, given)
    target = _target(context, given)
    commit = Release(context, planner(target)).run(
        words.question.format(target.name),
        author=author,
        committer=committer,
        yes=given.has("--yes"),
        dry_run=given.has("--dry-run"),
        propose=_proposal(context, target, given),
    )
    if commit is not None:
        _follow(context, commit, words.done, words.next_step.format(target.name))
    return DONE


def _refuse_rivals(context: Context, given: Arguments) -> None:
    """Where other branches claim to be what Argo CD reads, somebody has to look. Raises Failure.

    It is no more than a warning to whoever looks: anybody who may push a branch can make one.
    """
    branch, others = context.repository.branch, rivals(context.repository, context.folder)
    if not others:
        return
    says = f"origin's {branch} says that Argo CD reads {branch}, and {' and '.join(others)} too"
    if given.has("--yes"):
        raise Failure(
            PRECONDITION,
            f"{says}; nothing was changed",
            "delete the branch that it no longer reads, or decide without --yes",
        )
    context.terminal.warn(says)


def _proposal(context: Context, target: Environment, given: Arguments) -> Optional[Proposal]:
    """How the release reaches the branch, where that is by pull request."""
    asked = given.has("--pull-request") or target.releases == "pull-request"
    return Proposal(context) if asked and not given.has("--dry-run") else None


def _follow(context: Context, commit: str, done: str, next_step: str) -> None:
    repository, terminal = context.repository, context.terminal
    followed = context.clone.follow(repository.folder, commit, repository.branch)
    terminal.say(f"{terminal.green(done)}: commit {commit[:10]} is on origin's {repository.branch}")
    terminal.say(next_step)
    if not followed:
        terminal.note(
            f"this clone was left as it is; to follow: git pull --rebase origin {repository.branch}"
        )
