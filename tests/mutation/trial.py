"""Each mutant against the tests that run its line.

Tests are imported once. Every fork is made before any test ran, because the threads of Pulumi's SDK
do not survive a fork.
"""

from __future__ import annotations

import importlib
import linecache
import pickle
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.mutation import processes
from tests.mutation.mutants import Mutant, path_of
from tests.mutation.reach import Reach, fails, measure
from tests.mutation.vocabulary import Vocabulary

SURVIVED = 0
"""The exit status of a fork in which no test failed."""
FIRST = 10
"""The exit status where the first of the mutant's tests failed; of the second it is one more."""
SDKS = ("pulumi_aws.", "pulumi_kubernetes.")
"""Their modules are loaded when they are needed, which is long."""
WAIT = 20
"""Seconds, and as many times what the test takes, after which one that waits has noticed."""


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
        self._vocabulary = Vocabulary.of(items)
        self._noticed = Counter[tuple[str, str]]()
        """How many mutants a test has noticed, by the module or, as "", in all of them."""

    def measure(self) -> list[str]:
        """Run every test once, to see what it reaches; returns those that fail.

        Afterwards this process has loaded the SDKs' modules that the tests need.
        """
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
        packages = {name.rpartition(".")[0] for name in self._reach.imported}
        for name in sorted(packages):
            if name.startswith(SDKS):
                hasattr(importlib.import_module(name), "_utilities")  # asked, it loads itself
        return self._reach.failed

    def verdicts(
        self, mutants: Sequence[Mutant], wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[Verdict]:
        """Whether a test notices each mutant, as long as more are `wanted`.

        Raises:
            RuntimeError: a mutant cannot be made.
        """
        nearest = {place: self._nearest(*place) for place in {_place(one) for one in mutants}}
        tests = [nearest[_place(mutant)] for mutant in mutants]
        reached = [number for number, found in enumerate(tests) if found]
        for number in sorted(set(range(len(mutants))) - set(reached)):
            yield Verdict(mutant=mutants[number], tests=0, noticed=False)
        works = [self._trying(mutants[number], tests[number]) for number in reached]
        for place, status in processes.in_forks(works, wanted):
            mutant = mutants[reached[place]]
            if status == processes.ERROR:
                raise RuntimeError(f"cannot make the mutant {mutant}")
            near = tests[reached[place]]
            if status >= FIRST:
                for module in (mutant.module, ""):
                    self._noticed[module, near[status - FIRST].nodeid] += 1
            yield Verdict(mutant=mutant, tests=len(near), noticed=status != SURVIVED)

    def _nearest(self, module: str, lines: range, around: range) -> list[pytest.Item]:
        likeness = self._likeness(module, lines, around)
        return self._reach.nearest(self._items, str(path_of(module)), lines, likeness)

    def _likeness(self, module: str, lines: range, around: range) -> Callable[[str], float]:
        """How much a test speaks of a statement, and of the function around it."""
        text = linecache.getlines(str(path_of(module)))
        of_statement, of_function = (
            self._vocabulary.likeness("".join(text[part.start - 1 : part.stop - 1]))
            for part in (lines, around)
        )
        return lambda test: of_statement(test) + of_function(test)

    def _trying(self, mutant: Mutant, tests: Sequence[pytest.Item]) -> processes.Work:
        def work() -> int:
            mutant.apply()
            order = self._promising_first(mutant, tests)
            for number, following in zip(order, [*order[1:], None], strict=True):
                item = tests[number]
                # An endless loop ends the process by a signal, with pauses or without.
                seconds = self._reach.seconds[item.nodeid]
                signal.setitimer(signal.ITIMER_REAL, WAIT * (1 + seconds))
                signal.setitimer(signal.ITIMER_PROF, 5 + 10 * seconds)
                if _notices(item, None if following is None else tests[following]):
                    return FIRST + number
            return SURVIVED

        return work

    def _promising_first(self, mutant: Mutant, tests: Sequence[pytest.Item]) -> list[int]:
        """The numbers of the tests, first those that noticed the most mutants for their time.

        One of the same module says as much as ten of others, or as words of the code.
        """
        likeness = self._likeness(*_place(mutant))

        def promise(number: int) -> float:
            test = tests[number].nodeid
            noticed = self._noticed[mutant.module, test] + likeness(test)
            return (10 * noticed + self._noticed["", test]) / (0.1 + self._reach.seconds[test])

        return sorted(range(len(tests)), key=promise, reverse=True)


def _place(mutant: Mutant) -> tuple[str, range, range]:
    return mutant.module, mutant.lines, mutant.around


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
