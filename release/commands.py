"""The other commands: each reads its arguments and calls what does the work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Optional

from release import arguments, rendercommand
from release import history as past
from release.check import Check
from release.configuration import PATH, parse
from release.context import Context
from release.delivery import Build, Delivery, Source, require_digest
from release.deployed import Place, deployed
from release.errors import DONE, PRECONDITION, UNVERIFIED, USAGE, Failure
from release.git import Person
from release.historycommand import as_json, as_table
from release.release import Release
from release.start import Start, follow_or_last_known
from release.versions import require_version

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
    follow_or_last_known(context)
    repository = context.repository
    known = deployed(repository, repository.tip)
    environments = sorted({place.environment for place in known})
    if environment and environment not in environments:
        raise Failure(
            USAGE, f"no such environment: {environment}", f"environments: {' '.join(environments)}"
        )
    services = [name if "/" in name else f"*/{name}" for name in names] or None
    found = [
        event
        for event in past.events(repository, repository.tip, services, environment)
        if not event.carried_over
    ]
    unknown = [name for name in names if not _is_known(name, found, known)]
    if unknown:
        raise Failure(USAGE, f"there is and was no such service: {' '.join(unknown)}")
    shown = found[:limit] if limit else found
    if given.has("--json"):
        context.terminal.write(as_json(shown))
    else:
        for line in as_table(shown, context.terminal):
            context.terminal.say(line)
    return DONE


def _is_known(name: str, found: Iterable[past.Event], deployed: Iterable[Place]) -> bool:
    places = [*deployed, *(event.place for event in found)]
    return any(name in (place.service, place.name) for place in places)


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
    context = _local(start)
    commit = _commit(context, words[1]) if len(words) > 1 else None
    rendercommand.into_folder(context, out, commit)
    return DONE


def _local(start: Start) -> Context:
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
    context = _local(start)
    if context.clone.incomplete:
        raise Failure(
            PRECONDITION,
            "this clone is shallow or partial, and the check looks for what ran in the history",
            "complete it: git fetch --unshallow; or clone the repository anew",
        )
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
    context = _local(start)
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
