# Managed: generated, so change services.yaml or the stack files instead.
"""The versions there are of each service, and which of them runs where."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple, Optional

from release.configuration import Environment, Platform
from release.context import Context
from release.deployed import Place, deployed, select
from release.history import Event, applied, events
from release.registry import Images, describe

_MANY = 16
_FEW_SERVICES = 20
_NOW, _MINUTES, _HOURS = 90, 90 * 60, 48 * 3600
"""Up to which age, in seconds, it is shown in which unit."""


class Known(NamedTuple):
    """One version of a service."""

    version: str
    seconds: int
    """When it was built or delivered; 0 where nobody knows."""
    marks: tuple[str, ...]
    """The environments that run it."""
    subject: str


def listing(
    context: Context, target: Environment, names: Sequence[str], offline: bool, limit: Optional[int]
) -> list[str]:
    """The lines to print; `limit` versions of each service, 0 for all."""
    repository, terminal = context.repository, context.terminal
    platform = repository.platform
    everything = deployed(repository, repository.tip)
    services = select(everything, target.name, names, repository.branch)
    if limit is None:
        limit = 3 if len(services) > _FEW_SERVICES else 10
    known = {service: _Versions() for service in services}
    history = events(repository, repository.tip, services if names else None)
    by_place: dict[Place, list[Event]] = {}
    for event in history:
        by_place.setdefault(event.place, []).append(event)
    for place, there in everything.items():
        runs = applied(by_place.get(place, ()), there.running)
        if place.service in known and platform.is_version_of(place.service, runs.tag):
            known[place.service].add(runs.tag, 0, place.environment)
    _add_events(known, history, platform)
    moving_tag = platform.fast.moving_tag or platform.fast.name
    keel = [
        service
        for service in services
        if (place := Place(platform.fast.name, service)) in everything
        and everything[place].running.tag == moving_tag
    ]
    for service, answer in _images(context, keel, bool(names), offline).items():
        for image in answer.images:
            for tag in image.versions:
                known[service].add(tag, image.pushed, exactly=True)
                if moving_tag in image.tags:
                    known[service].add(tag, 0, platform.fast.name)
    lines: list[str] = []
    for service in services:
        lines += [*([""] if lines else []), terminal.bold(service)]
        lines += _lines(context, service, known[service].sorted(), limit)
    return lines


def _add_events(known: dict[str, _Versions], history: Sequence[Event], platform: Platform) -> None:
    """The times and subjects in Git; a release elsewhere dates what never was on fast."""
    events_of = [
        event
        for event in history
        if event.place.service in known
        and platform.is_version_of(event.place.service, event.now.tag)
    ]
    for event in events_of:
        versions = known[event.place.service]
        if event.place.environment == platform.fast.name:
            versions.add(event.now.tag, event.seconds)
        if event.kind != "edit" and event.subject:
            versions.subjects[event.now.tag] = event.subject
    for event in reversed(events_of):
        versions = known[event.place.service]
        if versions.seconds.get(event.now.tag) == 0:
            versions.add(event.now.tag, event.seconds)


def _images(context: Context, keel: Sequence[str], named: bool, offline: bool) -> dict[str, Images]:
    """What the registry has of the services that Keel delivers, where it is asked."""
    terminal = context.terminal
    if len(keel) > _MANY and not named:
        terminal.note(
            f"{len(keel)} services are delivered by Keel, and the registry was not asked about so "
            "many:"
        )
        terminal.note("their builds are listed when named: --service NAME")
        return {}
    if not keel or offline:
        return {}
    images = context.registry.ask(keel)
    silent = context.registry.silent(keel)
    if silent:
        terminal.warn(f"the registry did not answer for {describe(silent)}")
        terminal.warn("its builds are missing below")
    return images


class _Versions:
    def __init__(self) -> None:
        self.seconds: dict[str, int] = {}
        self.marks: dict[str, list[str]] = {}
        self.subjects: dict[str, str] = {}

    def add(self, version: str, seconds: int, mark: str = "", *, exactly: bool = False) -> None:
        known = self.seconds.get(version, 0)
        self.seconds[version] = seconds if exactly else max(known, seconds)
        marks = self.marks.setdefault(version, [])
        if mark and mark not in marks:
            marks.append(mark)

    def sorted(self) -> list[Known]:
        found = [
            Known(version, seconds, tuple(self.marks[version]), self.subjects.get(version, ""))
            for version, seconds in self.seconds.items()
        ]
        return sorted(found, key=lambda known: (known.seconds, known.version), reverse=True)


def _lines(context: Context, service: str, known: Sequence[Known], limit: int) -> list[str]:
    terminal = context.terminal
    if not known:
        return [f"  {terminal.dim('no version yet')}"]
    lines, shown, hidden = [], 0, 0
    for each in known:
        if limit and shown >= limit and not each.marks:
            hidden += 1
            continue
        shown += 1
        marks = f"{' '.join(each.marks):<12}"
        line = (
            f"  {each.version:<18} {_age(each.seconds):>7}  {terminal.green(marks)} {each.subject}"
        )
        lines.append(line.rstrip())
    if hidden:
        name = service.rpartition("/")[2]
        lines.append(f"  {terminal.dim(f'and {hidden} older: --service {name} --limit 0')}")
    return lines


def _age(seconds: int) -> str:
    if seconds == 0:
        return "?"
    age = int(time.time()) - seconds
    if age < _NOW:
        return "now"
    if age < _MINUTES:
        return f"{age // 60} min"
    if age < _HOURS:
        return f"{age // 3600} h"
    return f"{age // 86400} d"
