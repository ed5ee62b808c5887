"""One generated file and its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Ownership(StrEnum):
    """The owner of a generated file in the GitOps repository."""

    MANAGED = "managed"
    """The generator: an edit is kept and reported as drift; a deleted file is written again."""
    SEEDED = "seeded"
    """The team, after its first edit; until then the file follows its template."""
    VERSION = "version"
    """Releases: what a release wrote stays."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A generated text file; its path is its key in a `Tree`."""

    text: str
    ownership: Ownership

    @property
    def executable(self) -> bool:
        """Whether the file is a script."""
        return self.text.startswith("#!")


Tree = Mapping[str, File]
"""Generated files by their path in the GitOps repository, written with `/`."""
