# Managed: generated, so change services.yaml or the stack files instead.
"""What Git knows: what each environment runs, and ran, and who put it there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple, Optional

from release.configuration import PACKAGE, Platform
from release.errors import PRECONDITION, USAGE, Failure
from release.repository import Entry, Repository
from release.terminal import one_line
from release.versions import (
    NOTHING,
    UNREADABLE,
    Running,
    file_name,
    is_version,
    packaging_of,
    packagings,
    read,
)
from release.words import restored

KINDS = ("build", "promotion", "rollback", "edit")
_VERSION_FILE = re.compile(
    r"environments/([^/]+)/([^/]+/[^/]+)/version/(Chart|kustomization|values)\.yaml"
)
_RENDERED = re.compile(r"rendered/([^/]+)/([^/]+/[^/]+)/(.+\.(?:yaml|yml|json))")
Manifests = tuple[tuple[str, str], ...]
"""The files of a rendered folder, as (name, object); what is no manifest is left out."""
_OVERLAY = len(("environments", "environment", "namespace", "service", "file"))
_LONGEST = 300
"""Characters of a subject or a name that are shown."""


class Place(NamedTuple):
    """A service of an environment."""

    environment: str
    service: str
    """namespace/name"""

    @property
    def name(self) -> str:
        return self.service.rpartition("/")[2]

    @property
    def rendered(self) -> str:
        """The folder of what a safe environment applies."""
        return f"rendered/{self.environment}/{self.service}"


class Standing(NamedTuple):
    """What stands in Git for a service of an environment."""

    packaging: str
    running: Running
    path: str
    """The version file."""


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
    adopted: bool
    """Whether what ran already was only written down as rendered manifests."""
    hotfix: bool = False

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def is_forgeable(self) -> bool:
        """Whether somebody else committed it than whom it names."""
        return self.kind in ("promotion", "rollback") and self.committer != self.by


# --- what stands there now


def standing(repository: Repository, commit: str) -> dict[Place, Standing]:
    """What every environment runs by the version files of a commit."""
    found: dict[Place, Standing] = {}
    entries = repository.entries(commit, "environments")
    files = {p: (m, e) for p, e in entries.items() if (m := _VERSION_FILE.fullmatch(p))}
    contents = repository.read(e.object for _, e in files.values() if e.is_file)
    for path, (match, entry) in sorted(files.items()):
        place = Place(match[1], match[2])
        packaging = packaging_of(match[3])
        known = found.get(place)
        if known and known.running.readable and known.running:
            continue  # several kinds of file: the first is the one that Argo CD reads
        content = contents.get(entry.object) if entry.is_file else None
        running = (
            UNREADABLE
            if content is None
            else _read(content, packaging, repository.platform.image_name(place.service))
        )
        found[place] = Standing(packaging, running, path)
    for path, entry in entries.items():
        # A service whose version file is gone still is one: a release writes the file anew.
        parts = path.split("/")
        if (
            len(parts) == _OVERLAY
            and parts[-1] in ("kustomization.yaml", "values.yaml")
            and entry.is_file
        ):
            place = Place(parts[1], f"{parts[2]}/{parts[3]}")
            if place not in found:
                is_package = repository.platform.is_package(place.service)
                packaging = PACKAGE if is_package else packaging_of(parts[-1])
                name = file_name(packaging)
                version = f"environments/{place.environment}/{place.service}/version/{name}"
                found[place] = Standing(packaging, NOTHING, version)
    return dict(sorted(found.items()))


def _read(content: bytes, packaging: str, image: str) -> Running:
    return read(content.decode("utf-8", "replace"), packaging, image)


def select(
    everything: Mapping[Place, Standing], environment: str, names: Sequence[str], branch: str
) -> list[str]:
    """namespace/name of the services that are meant, or of all. Raises Failure for unknown ones."""
    services = [place.service for place in everything if place.environment == environment]
    if not services:
        known = sorted({place.environment for place in everything})
        raise Failure(
            PRECONDITION,
            f"there is no environments/{environment} on origin's {branch}",
            f"environments: {' '.join(known)}",
        )
    if not names:
        return services
    found: list[str] = []
    unknown, ambiguous = [], []
    for name in names:
        fitting = [s for s in services if name in (s, s.rpartition("/")[2])]
        if not fitting:
            unknown.append(name)
        elif len(fitting) > 1 and name not in services:
            ambiguous.append(
                f"{name} is in {' and in '.join(s.partition('/')[0] for s in fitting)}"
            )
        else:
            service = name if name in services else fitting[0]
            if service not in found:
                found.append(service)
    if unknown:
        raise Failure(
            USAGE,
            f"no such service in {environment}: {' '.join(unknown)}",
            f"the services: ls -d environments/{environment}/*/*",
        )
    if ambiguous:
        raise Failure(USAGE, *ambiguous, "name it with its namespace: --service NAMESPACE/NAME")
    return found


# --- what happened


class _Commit(NamedTuple):
    seconds: int
    parents: list[str]
    author: str
    committer: str
    title: str
    records: list[dict[str, str]]
    """The releases that the message tells of."""


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
    pairs = [(commit, line[n + 1] if n + 1 < len(line) else None) for n, commit in enumerate(line)]
    changes = list(repository.changes(pairs, *_pathspecs(services, environment)))
    blobs = {
        entry.object
        for _, entries in changes
        for _, entry, path in entries
        if entry.is_file and _VERSION_FILE.fullmatch(path)
    }
    contents = repository.read(blobs)
    commits = _commits(repository, [commit for commit, _ in changes])
    parent = dict(pairs)
    found: list[Event] = []
    # From the oldest on, so that each knows what was there before.
    rendered: dict[Place, dict[str, str]] = {}
    named: dict[Place, dict[str, Running]] = {}
    for commit, entries in reversed(changes):
        told = commits[commit]
        here: list[Event] = []
        side: Optional[list[_Commit]] = None
        versions = _versions(entries, contents, repository.platform)
        files = _files(entries)
        for place in sorted(versions.keys() | files.keys()):
            by_file = named.setdefault(place, {})
            old = _chosen(by_file)
            by_file.update(versions.get(place, {}))
            new = _chosen(by_file)
            was = rendered.get(place, {})
            there = {n: o for n, o in {**was, **files.get(place, {})}.items() if o is not None}
            rendered[place] = there
            if new == old and there == was:
                continue
            if not old and new.tag == place.environment and there == was:
                continue  # the moving tag from which a service starts
            record = _record(told.records, place, new)
            if record is None and len(told.parents) > 1:
                if side is None:
                    side = _side(repository, parent[commit], commit)
                record = next((r for c in side if (r := _record(c.records, place, new))), None)
            adopted = record is None and new == old and not was
            change = _Change(place, new, old, tuple(sorted(there.items())), adopted)
            here.append(_event(told, commit, change, record or {}))
        found += reversed(here)
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


def _versions(
    entries: Sequence[tuple[Entry, Entry, str]],
    contents: Mapping[str, Optional[bytes]],
    platform: Platform,
) -> dict[Place, dict[str, Running]]:
    """What each version file that a commit changes names afterwards, by packaging."""
    found: dict[Place, dict[str, Running]] = {}
    for _, new, path in entries:
        match = _VERSION_FILE.fullmatch(path)
        if match:
            place = Place(match[1], match[2])
            packaging = packaging_of(match[3])
            after = _content(new, contents, packaging, platform.image_name(place.service))
            found.setdefault(place, {})[packaging] = after
    return found


def _chosen(by_file: Mapping[str, Running]) -> Running:
    """Of several kinds of version file the one that Argo CD reads: the first that names one."""
    there = [found for p in packagings() if (found := by_file.get(p, NOTHING)) != NOTHING]
    return next((found for found in there if found), there[0] if there else NOTHING)


def _files(entries: Sequence[tuple[Entry, Entry, str]]) -> dict[Place, dict[str, Optional[str]]]:
    """The manifests that a commit changes: their objects, None for what it takes away."""
    found: dict[Place, dict[str, Optional[str]]] = {}
    for _, new, path in entries:
        match = _RENDERED.fullmatch(path)
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
    return UNREADABLE if content is None else _read(content, packaging, image)


def _record(
    records: Iterable[dict[str, str]], place: Place, now: Running
) -> Optional[dict[str, str]]:
    """What a message tells of the release of `now`. It does not vouch for another version."""
    for record in records:
        if (
            record.get("Service") == place.service
            and record.get("Environment") == place.environment
            and record.get("Version") == now.tag
            and record.get("Digest", now.digest) in (now.digest, "")
        ):
            return record
    return None


class _Change(NamedTuple):
    place: Place
    now: Running
    before: Running
    rendered: Manifests
    adopted: bool


def _event(told: _Commit, commit: str, change: _Change, record: dict[str, str]) -> Event:
    kind = record.get("Kind", "edit")
    return Event(
        seconds=told.seconds,
        commit=commit,
        place=change.place,
        now=change.now,
        before=change.before,
        rendered=change.rendered,
        kind=kind if kind in KINDS else "edit",
        by=_short(record.get("By") or told.author),
        committer=_short(told.committer),
        untested="Untested" in record,
        unverified="Unverified" in record,
        hotfix="Hotfix" in record,
        accepted=_short(record.get("Accepted-Findings", "")),
        subject=_short(
            record["Subject"] if record.get("Subject") else ("" if record else told.title)
        ),
        adopted=change.adopted,
    )


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def applied(own: Sequence[Event], there: Running) -> Running:
    """What runs, by the events of one place, whatever a hand has written into its version file.

    `there` is what the version file names.
    """
    for event, before in zip(own, [*own[1:], None]):
        if not _tells_of_no_version(event, before):
            return event.now
    return there


def _tells_of_no_version(event: Event, before: Optional[Event]) -> bool:
    """Whether a hand moved the version file without the manifests that are applied, or these."""
    rendered = before.rendered if before else ()
    edited = event.kind == "edit" and event.now == event.before
    return bool(rendered) and (event.rendered == rendered or edited)


# --- commits


def _commits(repository: Repository, names: Sequence[str]) -> dict[str, _Commit]:
    contents = repository.read(names)
    return {name: _parse(content or b"") for name, content in contents.items()}


def _side(repository: Repository, old: Optional[str], merge: str) -> list[_Commit]:
    """The commits that a merge brought, newest first."""
    if old is None:
        return []
    names = [name for name in repository.commits_between(old, merge) if name != merge]
    known = _commits(repository, names)
    return [known[name] for name in names]


def _parse(content: bytes) -> _Commit:
    head, _, body = content.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        fields.setdefault(os.fsdecode(key), []).append(value)
    encoding = fields.get("encoding", [b"utf-8"])[0].decode("ascii", "replace")
    message = _decode(body, encoding)
    author = _decode(fields.get("author", [b""])[0], encoding)
    committer = _decode(fields.get("committer", [b""])[0], encoding)
    time = re.search(r"> (\d+) [+-]\d+$", committer)
    lines = message.strip("\n").split("\n")
    return _Commit(
        seconds=min(int(time[1]), 253402300799) if time else 0,
        parents=[p.decode() for p in fields.get("parent", [])],
        author=_who(author),
        committer=_who(committer),
        title=" ".join(lines[: lines.index("")] if "" in lines else lines),
        records=_records(message),
    )


def _decode(text: bytes, encoding: str) -> str:
    try:
        return text.decode("utf-8" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except (UnicodeDecodeError, LookupError):
        return text.decode("utf-8", "replace")


def _who(ident: str) -> str:
    return re.sub(r" \d+ [+-]\d+$", "", ident)


def _records(message: str) -> list[dict[str, str]]:
    """The trailers of a message, a record for each service.

    They stand at its end, or, where a host put several commits into one, anywhere in it.
    """
    found: list[dict[str, str]] = []
    for line in message.split("\n"):
        match = re.fullmatch(r"Release-([A-Za-z-]+): (.*)", line.rstrip("\r"))
        if match is None:
            continue
        key, value = match[1], restored(match[2].strip())
        if key == "Service":
            found.append({})
        if found:
            found[-1].setdefault(key, value)
    return found


def short_version(running: Running) -> str:
    """What is shown of what runs."""
    if not running.readable:
        return "unreadable"
    return running.tag or "none"


def releasable(running: Running) -> bool:
    return is_version(running.tag)


def rendered_now(
    repository: Repository, commit: str, places: Iterable[Place]
) -> dict[Place, Manifests]:
    """The rendered manifests of a commit; nothing for a place that has none."""
    wanted = list(places)
    entries = repository.entries(commit, *[place.rendered for place in wanted]) if wanted else {}
    found: dict[Place, list[tuple[str, str]]] = {place: [] for place in wanted}
    for path, entry in entries.items():
        match = _RENDERED.fullmatch(path)
        if match and entry.is_file and (place := Place(match[1], match[2])) in found:
            found[place].append((match[3], entry.object))
    return {place: tuple(sorted(files)) for place, files in found.items()}
