# Managed: generated, so change services.yaml or the stack files instead.
"""Command lines: options, their values, and what is no option."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

from release.errors import USAGE, Failure


class Arguments(NamedTuple):
    """What was said."""

    flags: frozenset[str]
    values: dict[str, list[str]]
    words: list[str]
    """What is no option, in order."""

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def one(self, name: str) -> Optional[str]:
        """The last value of an option."""
        return self.values[name][-1] if name in self.values else None

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def number(self, name: str) -> Optional[int]:
        text = self.one(name)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,6}", text):
            raise Failure(USAGE, f"{name} needs a number", "see --help")
        return int(text)


def parse(
    words: Sequence[str], *, flags: Sequence[str], values: Sequence[str], takes_words: bool
) -> Arguments:
    """Reads a command line. Raises Failure for what is not understood."""
    left = list(words)
    found: dict[str, list[str]] = {}
    said: set[str] = set()
    rest: list[str] = []
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in values:
            if not equals:
                if not left or left[0].startswith("-"):
                    raise Failure(USAGE, f"{name} needs a value", "see --help")
                value = left.pop(0)
            if not value:
                raise Failure(USAGE, f"{name} needs a value", "see --help")
            found.setdefault(name, []).append(value)
        elif name in flags and not equals:
            said.add(name)
        elif word.startswith("-"):
            kind = "option" if takes_words else "argument"
            raise Failure(USAGE, f"unknown {kind}: {word!r}", "see --help")
        elif takes_words:
            rest.append(word)
        else:
            raise Failure(USAGE, f"unknown argument: {word!r}", "see --help")
    return Arguments(frozenset(said), found, rest)
