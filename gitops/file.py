"""One generated file, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Ownership(StrEnum):
    """Whose a generated file is, once it is in the GitOps repository."""

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
