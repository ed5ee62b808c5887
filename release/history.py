"""What Git says that each environment ran, and who released it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple, Optional

from release import commits
from release.commits import Commit
from release.configuration import Platform
from release.deployed import (
    RENDERED,
    VERSION_FILE,
    Manifests,
    Place,
    running_of,
)
from release.repository import Entry, Repository
from release.terminal import one_line
from release.versions import NOTHING, UNREADABLE, Running, packaging_of, packagings

KINDS = ("build", "promotion", "rollback", "edit")
_LONGEST = 300
"""Characters of a subject or a name that are shown."""
_Entries = Sequence[tuple[Entry, Entry, str]]
"""What a commit changes: the entry before, the entry after, the path."""


class Event(NamedTuple):
    """One change of what an environment runs."""

    seconds: int
    commit: str
    place: Place
    now: Running
    before: Running
    rendered: Manifests
    """What was rendered, once this had happened; nothing where Argo CD renders."""
    kind: str
    by: str
    committer: str
    untested: bool
    unverified: bool
    accepted: str
    """Why findings of a scan were accepted; empty where there were none."""
    subject: str
    carried_over: bool
    """Whether it only adds the rendered manifests of what ran already."""
    hotfix: bool = False

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def is_forgeable(self) -> bool:
        """Whether the committer is another person than the one that it names."""
        return self.kind in ("promotion", "rollback") and self.committer != self.by


def events(
    repository: Repository,
    tip: str,
    services: Optional[Iterable[str]] = None,
    environment: Optional[str] = None,
) -> list[Event]:
    """Every change of a version file or of rendered manifests on the branch, newest first.

    services: namespace/name, or */name; None for all.
    """
    line = repository.line(tip)
    parents: dict[str, Optional[str]] = dict(zip(line, [*line[1:], None]))
    changes = list(repository.changes(list(parents.items()), *_pathspecs(services, environment)))
    replay = _Replay(repository, parents, changes)
    found = [event for change in reversed(changes) for event in reversed(replay.commit(*change))]
    return list(reversed(found))


def _pathspecs(services: Optional[Iterable[str]], environment: Optional[str]) -> list[str]:
    where = _literal(environment) if environment else "*"
    which = [_any_namespace(s) for s in services] if services is not None else ["*/*"]
    return [
        spec
        for service in which
        for spec in (
            f":(glob)environments/{where}/{service}/version/*",
            f":(glob)rendered/{where}/{service}/**",
        )
    ]


def _any_namespace(service: str) -> str:
    """A pattern for namespace/name; for */name in whichever namespace."""
    return f"*/{_literal(service[2:])}" if service.startswith("*/") else _literal(service)


def _literal(text: str) -> str:
    return re.sub(r"([*?\[\\])", r"\\\1", text)


class _Change(NamedTuple):
    """What a commit changes of a service of an environment."""

    place: Place
    now: Running
    before: Running
    rendered: Manifests
    had_manifests: bool
    """Whether manifests were rendered before."""


class _Replay:
    """Goes through the commits, oldest first, so that each change knows what was before it."""

    def __init__(
        self,
        repository: Repository,
        parents: Mapping[str, Optional[str]],
        changes: Sequence[tuple[str, _Entries]],
    ) -> None:
        self._repository, self._parents = repository, parents
        self._commits = commits.read(repository, [name for name, _ in changes])
        self._contents = repository.read(
            {
                entry.object
                for _, entries in changes
                for _, entry, path in entries
                if entry.is_file and VERSION_FILE.fullmatch(path)
            }
        )
        self._rendered: dict[Place, dict[str, str]] = {}
        self._named: dict[Place, dict[str, Running]] = {}
        """What the version files name, by packaging."""
        self._merged: dict[str, list[Commit]] = {}

    def commit(self, name: str, entries: _Entries) -> list[Event]:
        """The events of the next commit, by place."""
        versions = _versions(entries, self._contents, self._repository.platform)
        files = _files(entries)
        changes = [
            self._change(place, versions.get(place, {}), files.get(place, {}))
            for place in sorted(versions.keys() | files.keys())
        ]
        return [
            _event(self._commits[name], name, change, self._record(name, change))
            for change in changes
            if change is not None
        ]

    def _change(
        self,
        place: Place,
        versions: Mapping[str, Running],
        files: Mapping[str, Optional[str]],
    ) -> Optional[_Change]:
        """None where the place runs what it ran."""
        named = self._named.setdefault(place, {})
        before = _chosen(named)
        named.update(versions)
        now = _chosen(named)
        was = self._rendered.get(place, {})
        rendered = {n: o for n, o in {**was, **files}.items() if o is not None}
        self._rendered[place] = rendered
        starts = not before and now.tag == place.environment  # the moving tag
        if rendered == was and (now == before or starts):
            return None
        return _Change(place, now, before, tuple(sorted(rendered.items())), bool(was))

    def _record(self, name: str, change: _Change) -> Optional[dict[str, str]]:
        """What the commit, or one that it merges, records of the release."""
        commit = self._commits[name]
        found = _record(commit.records, change.place, change.now)
        if found is not None or len(commit.parents) < 2:  # noqa: PLR2004 - a merge has two
            return found
        if name not in self._merged:
            self._merged[name] = commits.merged(self._repository, self._parents[name], name)
        records = (record for merged in self._merged[name] for record in merged.records)
        return _record(records, change.place, change.now)


def _versions(
    entries: _Entries,
    contents: Mapping[str, Optional[bytes]],
    platform: Platform,
) -> dict[Place, dict[str, Running]]:
    """What each version file that a commit changes names afterwards, by packaging."""
    found: dict[Place, dict[str, Running]] = {}
    for _, new, path in entries:
        match = VERSION_FILE.fullmatch(path)
        if match:
            place = Place(match[1], match[2])
            packaging = packaging_of(match[3])
            after = _content(new, contents, packaging, platform.image_name(place.service))
            found.setdefault(place, {})[packaging] = after
    return found


def _chosen(by_file: Mapping[str, Running]) -> Running:
    """Of several version files the one that Argo CD reads: the first that names a version."""
    there = [found for p in packagings() if (found := by_file.get(p, NOTHING)) != NOTHING]
    return next((found for found in there if found), there[0] if there else NOTHING)


def _files(entries: _Entries) -> dict[Place, dict[str, Optional[str]]]:
    """The manifests that a commit changes: their objects, or None where it removes one."""
    found: dict[Place, dict[str, Optional[str]]] = {}
    for _, new, path in entries:
        match = RENDERED.fullmatch(path)
        if match:
            name = new.object if new.is_file else None
            found.setdefault(Place(match[1], match[2]), {})[match[3]] = name
    return found


def _content(
    entry: Entry, contents: Mapping[str, Optional[bytes]], packaging: str, image: str
) -> Running:
    if not entry.is_file:
        return NOTHING if entry.mode == "000000" else UNREADABLE
    content = contents.get(entry.object)
    return UNREADABLE if content is None else running_of(content, packaging, image)


def _record(
    records: Iterable[dict[str, str]], place: Place, now: Running
) -> Optional[dict[str, str]]:
    """The record of the release of `now`. A record of another version proves nothing."""
    for record in records:
        if (
            record.get("Service") == place.service
            and record.get("Environment") == place.environment
            and record.get("Version") == now.tag
            and record.get("Digest", now.digest) in (now.digest, "")
        ):
            return record
    return None


def _event(commit: Commit, name: str, change: _Change, recorded: Optional[dict[str, str]]) -> Event:
    record = recorded or {}
    kind = record.get("Kind", "edit")
    return Event(
        seconds=commit.seconds,
        commit=name,
        place=change.place,
        now=change.now,
        before=change.before,
        rendered=change.rendered,
        kind=kind if kind in KINDS else "edit",
        by=_short(record.get("By") or commit.author),
        committer=_short(commit.committer),
        untested="Untested" in record,
        unverified="Unverified" in record,
        hotfix="Hotfix" in record,
        accepted=_short(record.get("Accepted-Findings", "")),
        subject=_short(
            record["Subject"] if record.get("Subject") else ("" if record else commit.title)
        ),
        carried_over=recorded is None and change.now == change.before and not change.had_manifests,
    )


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def applied(own: Sequence[Event], there: Running) -> Running:
    """What runs, by the events of one place, whatever an edit has written into its version file.

    `there` is what the version file names.
    """
    for event, before in zip(own, [*own[1:], None]):
        if not _tells_of_no_version(event, before):
            return event.now
    return there


def _tells_of_no_version(event: Event, before: Optional[Event]) -> bool:
    """Whether an edit changed only the version file, or only the manifests that are applied."""
    rendered = before.rendered if before else ()
    edited = event.kind == "edit" and event.now == event.before
    return bool(rendered) and (event.rendered == rendered or edited)
