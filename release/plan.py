"""What a release is about to do: a change for each service, and the message that tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

from release.git import Person
from release.history import Manifests, Place, short_version
from release.terminal import Terminal, one_line
from release.versions import Running
from release.words import inert, quoted

_NAMED = 3
"""Services that a title names; of more it gives the number."""
PROMOTION, ROLLBACK, BUILD = "promotion", "rollback", "build"


class Change(NamedTuple):
    """One service that moves."""

    place: Place
    packaging: str
    path: str
    """The version file."""
    previous: str
    """The version that runs, or `none`."""
    version: str
    digest: str
    subject: str = ""
    """Of the commit that was built, where known."""
    untested: bool = False
    unverified: bool = False
    goes_back: bool = False
    """Whether a promotion replaces a newer version by an older one."""
    state: Optional[str] = None
    """The commit whose state comes back; None where the service is rendered anew."""
    rendered: Manifests = ()
    """The manifests that come back, where that commit has them."""

    @property
    def is_configuration_only(self) -> bool:
        return self.previous == self.version


class Plan(NamedTuple):
    """All of them, of one environment."""

    environment: str
    kind: str
    changes: Sequence[Change]
    notes: Sequence[str] = ()
    """What the person has to know beside the difference."""
    accepted: str = ""
    """Why findings of a scan are accepted."""


def summary(plan: Plan, fast: str, terminal: Terminal) -> list[str]:
    """The plan for people, a line for each service."""
    count = len(plan.changes)
    lines = ["", f"{terminal.bold(plan.environment)}, {count} service{'' if count == 1 else 's'}:"]
    width = max(len(change.place.service) for change in plan.changes)
    for change in plan.changes:
        words = f"{change.previous} -> {terminal.bold(change.version)}"
        if change.is_configuration_only:
            words += "  configuration only"
        if change.goes_back:
            words += f"  GOES BACK: {change.previous} is newer"
        if change.untested:
            words += f"  UNTESTED: never ran on {fast}"
        if change.unverified:
            words += f"  UNVERIFIED on {fast}"
        lines.append(f"  {change.place.service:<{width}}  {words}")
    return [*lines, *plan.notes]


def moved_by_hand(files: Mapping[str, tuple[Running, Running]]) -> list[str]:
    """Says of each service whose version file names one thing, while another runs."""
    return [
        f"{service}: a hand moved its version file to {_told(named, runs)}; "
        f"{_told(runs, named)} runs"
        for service, (named, runs) in files.items()
        if named != runs
    ]


def _told(running: Running, other: Running) -> str:
    """The version of `running`; with its digest where that alone tells it from `other`."""
    version = short_version(running)
    return f"{version}@{running.digest or 'no digest'}" if running.tag == other.tag else version


def message(plan: Plan, by: Person, body: Sequence[str] = (), more: Sequence[str] = ()) -> str:
    """The commit's message, with the trailers that the history reads."""
    changes = plan.changes
    rollback = plan.kind == ROLLBACK
    names = (
        ", ".join(c.place.name for c in changes)
        if len(changes) <= _NAMED
        else f"{len(changes)} services"
    )
    title = f"{plan.environment}: {'roll back ' if rollback else ''}{names}"
    if len({change.version for change in changes}) == 1:
        title += f"{' to' if rollback else ''} {changes[0].version}"
    if all(change.is_configuration_only for change in changes) and not rollback:
        title += ", configuration only"
    lines = [title, ""]
    if len(changes) > 1:
        lines += [f"{c.place.service}: {c.previous} -> {c.version}" for c in changes]
        lines.append("")
    if body:
        lines += [*(quoted(inert(one_line(line))) for line in body), ""]
    for change in changes:
        lines += _trailers(plan, change, by)
    return "\n".join([*lines, *more]) + "\n"


def _trailers(plan: Plan, change: Change, by: Person) -> list[str]:
    lines = [
        f"Release-Service: {change.place.service}",
        f"Release-Environment: {plan.environment}",
        f"Release-Version: {change.version}",
        f"Release-Digest: {change.digest}",
        f"Release-Previous: {change.previous}",
        f"Release-Kind: {plan.kind}",
        f"Release-By: {inert(one_line(str(by)))}",
    ]
    if change.untested:
        lines.append("Release-Untested: true")
    if change.unverified:
        lines.append("Release-Unverified: true")
    if plan.accepted:
        lines.append(f"Release-Accepted-Findings: {inert(one_line(plan.accepted))}")
    if one_line(change.subject):
        lines.append(f"Release-Subject: {inert(one_line(change.subject))}")
    return lines
