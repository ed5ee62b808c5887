"""Some mutants of what a change touches: which they are, and how many the tests have to notice."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from tests.mutation.mutants import Mutant, modules, mutants, path_of

SIZE = 60
"""How many mutants of a change are tried."""
SECONDS = 360
"""Of processor time, after which no further mutant is tried: three minutes of two processors.

The run that measures what the tests reach is part of it. A busy machine takes longer, and finds the
same.
"""
LEAST = 10
"""How many mutants have to be tried within this time, where the sample has as many."""
PERCENT = 85
"""How many of the tried mutants the tests have to notice.

Of the modules that were tried whole, 97 are noticed, and a sample of 60 strays from that by a few.
"""


def sampled(functions: Iterable[str]) -> tuple[list[Mutant], int]:
    """Some mutants of the functions, the same ones each time, and the number of the others."""
    names = set(functions)
    found = [
        mutant
        for module in modules()
        if any(name.startswith(f"{module}.") for name in names)
        for mutant in mutants(module, path_of(module).read_text(encoding="utf-8"))
        if f"{module}.{mutant.function}" in names
    ]
    return some(found, SIZE), len(found[SIZE:])


def some(found: Iterable[Mutant], number: int | None) -> list[Mutant]:
    """So many of them, or all: the same ones each time, and of any place."""
    return sorted(found, key=lambda mutant: sha256(str(mutant).encode()).digest())[:number]


def problem(*, size: int, tried: int, survivors: int) -> str:
    """Why the check of a change fails, or nothing. One survivor is told and is no failure."""
    if tried < min(size, LEAST):
        return f"only {tried} of {size} mutants could be tried: the tests that run them are slow"
    if survivors > 1 and (tried - survivors) * 100 < tried * PERCENT:
        return f"{survivors} of {tried} mutants survive: the tests have to notice {PERCENT} %"
    return ""
