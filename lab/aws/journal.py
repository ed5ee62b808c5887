"""Creations under way, on disk, so that one interrupted by a crash is taken up and not repeated.

Pulumi learns of a resource when `create` answers. Killed between AWS's work and that answer, it
creates again: a second VPC, or EntityAlreadyExists for a role. The journal notes each creation
before it begins. The next creation of the same URN with the same inputs takes up what is there,
under the name that was made up for it; without such a note an existing resource is reported, as
AWS does, and never taken over.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.aws.table import Values


@dataclass(frozen=True, kw_only=True)
class Creation:
    """One creation: what was asked for, and the id once AWS had answered."""

    urn: str
    inputs: Values
    identifier: str | None = None


class Journal:
    """One small file for each creation that Pulumi may not have heard of."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._mine: set[str] = set()

    def begin(self, urn: str, inputs: Values) -> None:
        self._write(Creation(urn=urn, inputs=inputs))

    def created(self, urn: str, inputs: Values, identifier: str) -> None:
        self._write(Creation(urn=urn, inputs=inputs, identifier=identifier))
        self._mine.add(urn)

    def interrupted(self, urn: str) -> Creation | None:
        """The creation that somebody may have been killed in."""
        try:
            return Creation(**json.loads(self._file(urn).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def known(self, urn: str) -> None:
        """Pulumi spoke of the resource by its id, or nothing was created: the note is done."""
        self._file(urn).unlink(missing_ok=True)
        self._mine.discard(urn)

    def close(self) -> None:
        """The run ended in order: Pulumi has heard of everything that this process created."""
        for urn in sorted(self._mine):
            self.known(urn)

    def _write(self, note: Creation) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._file(note.urn)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(note)))
        fresh.replace(file)

    def _file(self, urn: str) -> Path:
        return self._directory / f"{hashlib.sha256(urn.encode()).hexdigest()[:32]}.json"
