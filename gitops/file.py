"""One generated file, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gitops import layout

SHARED_PART = "shared"


class Ownership(StrEnum):
    """Whose a generated file is, once it stands in the GitOps repository."""

    MANAGED = "managed"
    """The generator's: an edit is kept, but reported as drift; a deleted file comes back."""
    SEEDED = "seeded"
    """The team's from their first edit on; until then it follows its template."""
    VERSION = "version"
    """The releases': what a release wrote stays."""


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


def part_of(path: str) -> str:
    """The part of the repository that `path` belongs to: an environment, or `shared`."""
    return layout.part_of(path) or SHARED_PART
