"""The commands: each reads its arguments and calls what does the work."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Optional

from release import arguments, rendercommand
from release import history as past
from release.arguments import Arguments
from release.check import Check
from release.clone import Clone
from release.configuration import PATH, Environment, parse
from release.context import Context
from release.delivery import Build, Delivery, Source, require_digest
from release.errors import DONE, PRECONDITION, UNVERIFIED, USAGE, Failure
from release.gate import Asked
from release.git import Git, Person
from release.handover import SCRATCH, root, to_the_newest
from release.history import short_version
from release.historycommand import as_json, as_table
from release.listing import listing
from release.processes import Processes
from release.promotion import Promotion, Request
from release.proposal import Proposal
from release.release import Release
from release.repository import Repository, Unreachable
from release.rollback import Rollback
from release.terminal import Terminal
from release.versions import require_version
from release.workspace import Workspace


class Start:
    """What a command begins with, and what it leaves behind."""

    def __init__(
        self, terminal: Terminal, processes: Processes, name: str, words: Sequence[str]
    ) -> None:
        self.terminal, self.processes = terminal, processes
        self.name, self.words = name, words
        self.context: Optional[Context] = None
        self.reading = False
        """Whether the command only reads."""
        self._workspace: Optional[Workspace] = None

    def workspace(self) -> str:
        if self._workspace is None:
            self._workspace = Workspace(os.environ.get(SCRATCH, ""))
        return self._workspace.folder

    def git(self) -> Git:
        home = os.path.join(self.workspace(), "home")
        os.makedirs(home, exist_ok=True)
        return Git(self.processes, os.environ, home)

    def enter(self, *, borrow: Optional[bool] = None) -> Context:
        """The clone and its repository. Raises Failure where this is none."""
        git = self.git()
        clone = Clone(git, root())
        repository = Repository(git, clone, self.workspace(), borrow=borrow)
        repository.on_tip = lambda tip: to_the_newest(
            repository, tip, self.terminal, self.workspace(), [self.name, *self.words]
        )
        self.context = Context(
            self.terminal, self.processes, os.environ, self.workspace(), git, clone, repository
        )
        return self.context

    def end(self) -> None:
        if self._workspace is not None:
            self._workspace.remove()


def _follow_or_last_known(context: Context) -> None:
    """The tip, or what this clone saw last, with a warning."""
    try:
        context.repository.follow()
    except Unreachable as error:
        age = context.repository.last_known()
        context.terminal.warn(error.message)
        context.terminal.warn(f"showing what this clone last knew, of {age}")


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


def _finish(context: Context, commit: str, done: str, *lines: str) -> int:
    repository, terminal = context.repository, context.terminal
    followed = context.clone.follow(repository.folder, commit, repository.branch)
    terminal.say(f"{terminal.green(done)}: commit {commit[:10]} is on origin's {repository.branch}")
    for line in lines:
        terminal.say(line)
    if not followed:
        terminal.note(
            f"this clone was left as it is; to follow: git pull --rebase origin {repository.branch}"
        )
    return DONE


# --- promote


def promote(start: Start, words: Sequence[str]) -> int:
    given = arguments.parse(
        words,
        flags=(
            "--from-dev",
            "--dry-run",
            "--yes",
            "--untested",
            "--unverified",
            "--offline",
            "--pull-request",
        ),
        values=("--service", "--environment", "--limit", "--accept-findings"),
        takes_words=True,
    )
    version = _version(given, "services in step: --from-dev")
    if given.has("--from-dev") and version:
        raise Failure(USAGE, "either a version or --from-dev, not both")
    limit, names = given.number("--limit"), given.all("--service")
    start.reading = not version and not given.has("--from-dev")
    context = start.enter()
    asked = Asked(
        offline=given.has("--offline"),
        untested=given.has("--untested"),
        unverified=given.has("--unverified"),
        accepted=given.one("--accept-findings") or "",
    )
    if start.reading:
        _follow_or_last_known(context)
        target = context.repository.platform.target(given.one("--environment"))
        for line in listing(context, target, names, asked.offline, limit):
            context.terminal.say(line)
        return DONE
    author, committer = _ready(context, given)
    target = context.repository.platform.target(given.one("--environment"))
    request = Request(version, names, given.has("--from-dev"), asked, given.has("--yes"))
    commit = Release(context, lambda: Promotion(context, target, request).plan()).run(
        f"Promote to {target.name}?",
        author=author,
        committer=committer,
        yes=given.has("--yes"),
        dry_run=given.has("--dry-run"),
        propose=_proposal(context, target, given),
    )
    if commit is None:
        return DONE
    return _finish(
        context,
        commit,
        "promoted",
        f"now approve the sync in Argo CD of {target.name}; to go back: scripts/rollback-prod.sh",
    )


def _ready(context: Context, given: Arguments) -> tuple[Person, Person]:
    """Whom the commit is by, once somebody can be asked and the clone is ready. Raises Failure."""
    if not given.has("--yes") and not given.has("--dry-run"):
        context.terminal.require_somebody()
    context.clone.refuse_unfinished_work()
    people = context.clone.person()
    context.repository.follow()
    return people


def _proposal(context: Context, target: Environment, given: Arguments) -> Optional[Proposal]:
    """How the release reaches the branch, where that is by pull request."""
    asked = given.has("--pull-request") or target.releases == "pull-request"
    return Proposal(context) if asked and not given.has("--dry-run") else None


# --- rollback


def rollback(start: Start, words: Sequence[str]) -> int:
    given = arguments.parse(
        words,
        flags=("--dry-run", "--yes", "--offline", "--pull-request"),
        values=("--service", "--environment"),
        takes_words=True,
    )
    version, names = _version(given), given.all("--service")
    start.reading = not version and not names
    context = start.enter()
    if start.reading:
        _follow_or_last_known(context)
        target = context.repository.platform.target(given.one("--environment"))
        _list_ways(context, Rollback(context, target, None, (), offline=True))
        return DONE
    author, committer = _ready(context, given)
    target = context.repository.platform.target(given.one("--environment"))
    plan = Rollback(context, target, version, names, given.has("--offline")).plan
    commit = Release(context, plan).run(
        f"Roll {target.name} back?",
        author=author,
        committer=committer,
        yes=given.has("--yes"),
        dry_run=given.has("--dry-run"),
        propose=_proposal(context, target, given),
    )
    if commit is None:
        return DONE
    return _finish(
        context, commit, "rolled back", f"now approve the sync in Argo CD of {target.name}"
    )


def _list_ways(context: Context, rollback: Rollback) -> None:
    say = context.terminal.say
    say(f"{'SERVICE':<40} {'RUNS':<18} WOULD GO BACK TO")
    for service, way in rollback.ways().items():
        back = way.back.running.tag if way.back else "-"
        say(f"{service:<40} {short_version(way.standing.running):<18} {back}")
    say()
    say("to go back: scripts/rollback-prod.sh --service NAME [VERSION]")


# --- history


def history(start: Start, words: Sequence[str]) -> int:
    given = arguments.parse(
        words,
        flags=("--json",),
        values=("--service", "--environment", "--limit"),
        takes_words=False,
    )
    limit = given.number("--limit")
    if limit is None:
        limit = 0 if given.has("--json") else 50
    names, environment = given.all("--service"), given.one("--environment")
    for name in [*names, *([environment] if environment else [])]:
        if not re.fullmatch(r"[a-z0-9/-]+", name):
            raise Failure(USAGE, f"not a name: {name!r}")
    context = start.enter()
    _follow_or_last_known(context)
    repository = context.repository
    environments = sorted({p.environment for p in past.standing(repository, repository.tip)})
    if environment and environment not in environments:
        raise Failure(
            USAGE, f"no such environment: {environment}", f"environments: {' '.join(environments)}"
        )
    services = [name if "/" in name else f"*/{name}" for name in names] or None
    found = [
        event
        for event in past.events(repository, repository.tip, services, environment)
        if not event.adopted
    ]
    shown = found[:limit] if limit else found
    if given.has("--json"):
        context.terminal.write(as_json(shown))
    else:
        for line in as_table(shown, context.terminal):
            context.terminal.say(line)
    return DONE


# --- render


def render(start: Start, words: Sequence[str]) -> int:
    first = words[0]
    if first in ("--difference", "--report"):
        if len(words) != 3:  # noqa: PLR2004 - the option and its two folders
            raise Failure(USAGE, f"{first} needs two folders", "see --help")
        lines = rendercommand.difference(start.git(), start.workspace(), words[1], words[2])
        if first == "--report":
            start.terminal.say(rendercommand.report(lines))
        else:
            for line in start.terminal.difference(lines):
                start.terminal.say(line)
        return DONE
    if first == "--check":
        return _check(start, words[1:])
    if first == "--write":
        if len(words) != 2:  # noqa: PLR2004 - the option and its value
            raise Failure(USAGE, "--write needs an environment", "see --help")
        return _carry_over(start, words[1])
    if first.startswith("-"):
        raise Failure(USAGE, f"unknown option: {first!r}", "see --help")
    if len(words) > 2:  # noqa: PLR2004 - the folder and the commit
        raise Failure(USAGE, "too many arguments", "see --help")
    out = os.path.abspath(first)
    context = _at_home(start)
    commit = _commit(context, words[1]) if len(words) > 1 else None
    rendercommand.into_folder(context, out, commit)
    return DONE


def _at_home(start: Start) -> Context:
    """The repository as this clone has it: nobody else is asked."""
    context = start.enter(borrow=True)
    repository = context.repository
    try:
        with open(os.path.join(context.clone.root, PATH), encoding="utf-8") as stream:
            repository.platform = parse(stream.read(), PATH)
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(PRECONDITION, f"{PATH} cannot be read: {error}") from error
    return context


def _commit(context: Context, name: str) -> str:
    clone = context.clone
    if name.startswith("-"):
        raise Failure(USAGE, f"not a commit: {name!r}")
    found = clone.git.inside(clone.root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.code:
        raise Failure(USAGE, f"not a commit: {name!r}")
    return found.text.strip()


def _check(start: Start, words: Sequence[str]) -> int:
    if len(words) > 1:
        raise Failure(USAGE, "--check takes one commit", "see --help")
    context = _at_home(start)
    head = _commit(context, "HEAD")
    context.repository.tip = head
    try:
        base: Optional[str] = _commit(context, words[0] if words else "HEAD^1")
    except Failure:
        if words:
            raise
        base = None
    problems = Check(context, base, head).problems()
    if problems:
        raise Failure(UNVERIFIED, "this cannot be merged as it is:", *problems)
    context.terminal.say("checked: every service renders, and nothing is left out or refused")
    return DONE


def _carry_over(start: Start, environment: str) -> int:
    context = _at_home(start)
    if environment not in context.repository.platform.safe:
        raise Failure(
            USAGE,
            f"not an environment that applies rendered manifests: {environment!r}",
            f"choose one of: {' '.join(context.repository.platform.safe) or '(there is none)'}",
        )
    context.clone.refuse_unfinished_work()
    written, empty = rendercommand.carry_over(context, environment)
    say = context.terminal.say
    say(f"wrote rendered/{environment}: {written} services")
    if empty:
        say(f"nothing was released of {len(empty)} services: {', '.join(empty[:5])}")
    say("look at it and commit it:")
    say(f"  git add rendered/{environment}")
    say(f"  git commit -m 'Rendered manifests of {environment} as they run' && git push")
    return DONE


# --- deliver


def deliver(start: Start, words: Sequence[str]) -> int:
    given = arguments.parse(
        words,
        flags=(),
        values=("--service", "--version", "--digest", "--source"),
        takes_words=False,
    )
    service = given.one("--service")
    if service is None:
        raise Failure(USAGE, "--service is missing", "see --help")
    version = require_version(given.one("--version") or "")
    digest = require_digest(given.one("--digest") or "")
    source = Source(start.git(), given.one("--source") or "", version, start.workspace())
    context = start.enter()
    # A pipeline runs the scripts that it was generated with, and no others.
    context.repository.on_tip = lambda _: None
    context.repository.follow()
    delivery = Delivery(context, Build(service, version, digest), source)
    release = Release(context, delivery.plan)
    release.idle = lambda: delivery.stays or "already up to date"
    commit = release.run(
        "",
        author=source.author,
        committer=_pipeline(context, service),
        renders=False,
        body=(source.subject,) if source.subject else (),
        more=delivery.trailers,
    )
    if commit is None:
        return DONE
    context.terminal.say(
        f"delivered: {context.repository.platform.fast.name} runs {version} of {delivery.service} "
        f"(commit {commit[:10]})"
    )
    return DONE


def _pipeline(context: Context, service: str) -> Person:
    try:
        return context.clone.person()[1]
    except Failure:
        return Person(f"{service.rpartition('/')[2]} pipeline", "pipeline@ci.invalid")
