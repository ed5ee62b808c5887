"""Which tests run which lines of the modules that are mutated, measured with coverage.py."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import coverage
import pytest
from _pytest.runner import runtestprotocol

NEAREST = 60
"""How many tests are tried on a mutant: those that run the fewest lines."""
WHOLE = ("golden", "component_options")
"""Tests that are tried as well: they run nearly everything, and look at all that comes of it."""
AKIN = 90
"""How many tests are tried beside them: those that speak of its statement and its function."""
SURELY = 8
"""How many of those are tried however long they take."""
SECONDS = 10
"""How long all of these take at most: the slowest are left out."""

Runners = defaultdict[str, defaultdict[int, set[str]]]
"""By file and line, who runs it: a test, or `fixture NAME`."""


def _no_runners() -> Runners:
    return defaultdict(_no_lines)


def _no_lines() -> defaultdict[int, set[str]]:
    return defaultdict(set)


@dataclass
class Reach:
    """What the tests run, and for how long."""

    runners: Runners = field(default_factory=_no_runners)
    seconds: dict[str, float] = field(default_factory=dict)
    """Of processor time, by test."""
    failed: list[str] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    """Every module that was loaded in the end."""

    def add(self, other: Reach) -> None:
        """Join what another process measured."""
        self.seconds |= other.seconds
        self.failed += other.failed
        self.imported |= other.imported
        for file, lines in other.runners.items():
            for line, names in lines.items():
                self.runners[file][line] |= names

    def nearest(
        self,
        items: Sequence[pytest.Item],
        file: str,
        lines: Iterable[int],
        likeness: Callable[[str], float] = lambda _: 0,
    ) -> list[pytest.Item]:
        """The tests among `items` that run a line, the quickest first and those of WHOLE last.

        likeness: of a test's text to the code in these lines, by the test's id.
        """
        known = self.runners[file]
        names = set[str]().union(*(known[line] for line in lines if line in known))
        found = [
            (sum(self._sizes[name] for name in _names(item)), item.nodeid, item)
            for item in items
            if names & _names(item)
        ]
        found.sort()
        far = sorted(found[NEAREST:], key=lambda one: (-likeness(one[1]), one[1]))
        near = sorted([*found[:NEAREST], *far[SURELY:AKIN]], key=lambda one: self.seconds[one[1]])
        begins = accumulate((self.seconds[test] for _, test, _ in near), initial=0.0)
        near = [one for one, begin in zip(near, begins, strict=False) if begin < SECONDS]
        chosen = [item for _, _, item in [*near, *far[:SURELY]]]
        whole = [item for item in items if any(word in item.nodeid for word in WHOLE)]
        # A function that keeps its answer is run by the first of them alone.
        return [*chosen, *(item for item in whole if item not in chosen)] if chosen else []

    @cached_property
    def _sizes(self) -> Counter[str]:
        """How many lines each test and each fixture runs."""
        return Counter(
            name for lines in self.runners.values() for names in lines.values() for name in names
        )


def measure(items: Sequence[pytest.Item], files: Sequence[str]) -> Reach:
    """Run the tests in this process, and note what each runs of the files."""
    reach = Reach()
    measured = coverage.Coverage(data_file=None, config_file=False, include=files)
    contexts = _Contexts(measured)
    if items:
        items[0].config.pluginmanager.register(contexts)
    measured.start()
    for item, following in zip(items, [*items[1:], None], strict=True):
        contexts.enter(item.nodeid)
        began = time.process_time()
        if fails(item, following):
            reach.failed.append(item.nodeid)
        reach.seconds[item.nodeid] = time.process_time() - began
    measured.stop()
    reach.imported = set(sys.modules)
    data = measured.get_data()
    for file in data.measured_files():
        for line, names in data.contexts_by_lineno(file).items():
            reach.runners[file][line] |= set(names)
    return reach


def fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test with its fixtures; `following` is the one after it, which may share some."""
    reports = runtestprotocol(item, log=False, nextitem=following)
    return any(report.failed for report in reports)


def _names(item: pytest.Item) -> set[str]:
    return {item.nodeid, *(f"fixture {name}" for name in getattr(item, "fixturenames", ()))}


class _Contexts:
    """Whatever a shared fixture runs, every test runs that uses it."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self._test = ""

    def enter(self, test: str) -> None:
        self._test = test
        self._measured.switch_context(test)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        self._measured.switch_context(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self._measured.switch_context(self._test)
