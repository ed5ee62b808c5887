"""The mutants that no test has to notice, each with its reason: `accepted.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.mutation.mutants import Mutant

FILE = Path(__file__).with_name("accepted.toml")

Accepted = Mapping[str, Mapping[str, str]]
"""By module, or * for all of them, and change, the reason."""


def accepted() -> Accepted:
    """The list."""
    found: Accepted = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return found


def is_accepted(mutant: Mutant, reasons: Accepted) -> bool:
    """Whether the list has it: of its module, or wherever it is."""
    return mutant.short in reasons.get(mutant.module, {}) or mutant.change in reasons.get("*", {})


def outdated(module: str, mutants: Iterable[Mutant], reasons: Accepted) -> list[str]:
    """What the list says of a module and no mutant is."""
    return sorted(reasons.get(module, {}).keys() - {mutant.short for mutant in mutants})
