"""What Git says that the services of an environment run, at one commit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from release.configuration import PACKAGE
from release.errors import PRECONDITION, USAGE, Failure
from release.repository import Entry, Repository
from release.versions import NOTHING, UNREADABLE, Running, file_name, packaging_of, read

_PLACE = r"([a-z0-9-]+)/([a-z0-9-]+/[a-z0-9-]+)"
"""Environment, and namespace/name. A folder that is called otherwise is of no service."""
VERSION_FILE = re.compile(rf"environments/{_PLACE}/version/(Chart|kustomization|values)\.yaml")
RENDERED = re.compile(rf"rendered/{_PLACE}/(.+\.(?:yaml|yml|json))", re.DOTALL)
Manifests = tuple[tuple[str, str], ...]
"""The files of a rendered folder, as (name, object), without those that are no manifests."""
_OVERLAY = re.compile(rf"environments/{_PLACE}/(kustomization|values)\.yaml")


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


class Deployed(NamedTuple):
    """What a service of an environment runs, by its version file."""

    packaging: str
    running: Running
    path: str
    """The version file."""


def running_of(content: bytes, packaging: str, image: str) -> Running:
    """What the content of a version file names of an image."""
    return read(content.decode("utf-8", "replace"), packaging, image)


def deployed(repository: Repository, commit: str) -> dict[Place, Deployed]:
    """What every environment runs by the version files of a commit."""
    entries = repository.entries(commit, "environments")
    found = _named(repository, entries)
    for path, entry in entries.items():
        # A service without its version file is one still: a release writes the file anew.
        match = _OVERLAY.fullmatch(path)
        if match and entry.is_file and (place := Place(match[1], match[2])) not in found:
            is_package = repository.platform.is_package(place.service)
            packaging = PACKAGE if is_package else packaging_of(match[3])
            overlay = f"environments/{place.environment}/{place.service}"
            found[place] = Deployed(packaging, NOTHING, f"{overlay}/version/{file_name(packaging)}")
    return dict(sorted(found.items()))


def _named(repository: Repository, entries: Mapping[str, Entry]) -> dict[Place, Deployed]:
    """What the version files name."""
    found: dict[Place, Deployed] = {}
    files = {p: (m, e) for p, e in entries.items() if (m := VERSION_FILE.fullmatch(p))}
    contents = repository.read(e.object for _, e in files.values() if e.is_file)
    for path, (match, entry) in sorted(files.items()):
        place, packaging = Place(match[1], match[2]), packaging_of(match[3])
        known = found.get(place)
        if known and known.running.readable and known.running:
            continue  # several version files: Argo CD reads the first
        content = contents.get(entry.object) if entry.is_file else None
        image = repository.platform.image_name(place.service)
        running = UNREADABLE if content is None else running_of(content, packaging, image)
        found[place] = Deployed(packaging, running, path)
    return found


def select(
    everything: Mapping[Place, Deployed], environment: str, names: Sequence[str], branch: str
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


def short_version(running: Running) -> str:
    """What is shown of what runs."""
    if not running.readable:
        return "unreadable"
    return running.tag or "none"


def rendered_manifests(
    repository: Repository, commit: str, places: Iterable[Place]
) -> dict[Place, Manifests]:
    """The rendered manifests of a commit; nothing for a place that has none."""
    wanted = list(places)
    entries = repository.entries(commit, *[place.rendered for place in wanted]) if wanted else {}
    found: dict[Place, list[tuple[str, str]]] = {place: [] for place in wanted}
    for path, entry in entries.items():
        match = RENDERED.fullmatch(path)
        if match and entry.is_file and (place := Place(match[1], match[2])) in found:
            found[place].append((match[3], entry.object))
    return {place: tuple(sorted(files)) for place, files in found.items()}
