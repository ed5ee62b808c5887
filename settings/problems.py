"""What is wrong with a configuration: every problem at once, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One broken rule, at one place of one file."""

    file: str
    path: str
    value: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.path}" if self.path else self.file
        given = f" (given: {self.value})" if self.value else ""
        return f"{place}: {self.rule}{given}; {self.remedy}"


class SettingsError(Exception):
    """The configuration is wrong; the message lists every problem, sorted by file and path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        heading = "1 problem" if count == 1 else f"{count} problems"
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{heading} in the configuration, nothing was created:\n{lines}")
