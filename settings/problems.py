"""What is wrong with a configuration: every problem at once, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MISSING = "is missing"
"""The rule that a key broke which has to be there."""


class UserError(Exception):
    """An error that the user can correct.

    The message names the cause and the remedy; it is shown as it is, without a traceback.
    """


@dataclass(frozen=True)
class Problem:
    """One broken rule, at one place of one file."""

    file: str
    path: str
    value: str
    rule: str
    remedy: str
    line: int | None = None
    """The line in the file; None where there is none, such as for a missing key."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        if self.path:
            place = f"{place}: {self.path}"
        given = f" (given: {self.value})" if self.value else ""
        return f"{place}: {self.rule}{given}; {self.remedy}"

    @property
    def order(self) -> tuple[object, ...]:
        """How a report sorts: by file, line and path."""
        return self.file, self.line or 0, self.path, self.rule, self.value, self.remedy


class SettingsError(UserError):
    """The configuration is wrong; the message lists every problem, sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda problem: problem.order))
        count = len(self.problems)
        heading = "1 problem" if count == 1 else f"{count} problems"
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{heading} in the configuration, nothing was created:\n{lines}")
