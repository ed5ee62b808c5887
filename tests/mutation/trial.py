"""Each mutant against the tests that run its line.

Tests are imported once. Every fork is made before any test ran, because the threads of Pulumi's SDK
do not survive a fork.
"""

from __future__ import annotations

import pickle
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.mutation import processes
from tests.mutation.mutants import Mutant, path_of
from tests.mutation.reach import Reach, fails, measure

SURVIVED, NOTICED = 0, 1
"""Exit statuses of a fork."""
WAIT = 1800
"""Seconds after which a mutant that waits for something counts as noticed."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    tests: int
    """How many run its line."""
    noticed: bool


class Trial:
    """The collected tests, and what they reach of some modules."""

    def __init__(self, items: Sequence[pytest.Item], modules: Iterable[str]) -> None:
        self._items = items
        self._files = sorted(str(path_of(module)) for module in modules)
        self._reach = Reach()

    def measure(self) -> list[str]:
        """Run every test once, to see what it reaches; returns those that fail."""
        with TemporaryDirectory() as folder:
            works = [
                _measuring(
                    self._items[number :: processes.AT_ONCE], self._files, Path(folder, str(number))
                )
                for number in range(processes.AT_ONCE)
            ]
            for number, status in processes.in_forks(works, lambda: True):
                if status:
                    return [f"the process of share {number} ended with {status}"]
                answer = Path(folder, str(number)).read_bytes()
                self._reach.add(pickle.loads(answer))  # noqa: S301 -- written above
        return self._reach.failed

    def verdicts(
        self, mutants: Sequence[Mutant], wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[Verdict]:
        """Whether a test notices each mutant, as long as more are `wanted`.

        Raises:
            RuntimeError: a mutant cannot be made.
        """
        places = {(mutant.module, mutant.lines) for mutant in mutants}
        near = {
            (module, lines): self._reach.nearest(self._items, str(path_of(module)), lines)
            for module, lines in places
        }
        tests = [near[mutant.module, mutant.lines] for mutant in mutants]
        reached = [number for number, found in enumerate(tests) if found]
        for number in sorted(set(range(len(mutants))) - set(reached)):
            yield Verdict(mutant=mutants[number], tests=0, noticed=False)
        works = [self._trying(mutants[number], tests[number]) for number in reached]
        for place, status in processes.in_forks(works, wanted):
            mutant = mutants[reached[place]]
            if status == processes.ERROR:
                raise RuntimeError(f"cannot make the mutant {mutant}")
            yield Verdict(
                mutant=mutant, tests=len(tests[reached[place]]), noticed=status != SURVIVED
            )

    def _trying(self, mutant: Mutant, tests: Sequence[pytest.Item]) -> processes.Work:
        def work() -> int:
            mutant.apply()
            signal.setitimer(signal.ITIMER_REAL, WAIT)
            for item, following in zip(tests, [*tests[1:], None], strict=True):
                # An endless loop ends the process by a signal.
                signal.setitimer(signal.ITIMER_PROF, 5 + 10 * self._reach.seconds[item.nodeid])
                if _notices(item, following):
                    return NOTICED
            return SURVIVED

        return work


def _notices(item: pytest.Item, following: pytest.Item | None) -> bool:
    try:
        return fails(item, following)
    except BaseException:  # whatever a mutant raises, it was noticed
        return True


def _measuring(items: Sequence[pytest.Item], files: Sequence[str], answer: Path) -> processes.Work:
    def work() -> int:
        answer.write_bytes(pickle.dumps(measure(items, files)))
        return 0

    return work
