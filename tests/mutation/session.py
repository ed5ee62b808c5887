"""The collected unit tests, and processes that run some of them.

Tests are imported once. Every process is a fork of the one that imported them, made before any test
ran: the threads of Pulumi's SDK do not survive a fork.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import CHECKOUT, MUTATED, Mutant, path_of

PROCESSES = os.cpu_count() or 1
TESTS = 200
"""How many tests a mutant is given at most: those that run the fewest lines of the program."""
WAIT = 900
"""Seconds after which a process that waits for something is ended."""

Runners = dict[str, dict[int, set[str]]]
"""By file and line, who runs it: a test, or `fixture NAME`."""


@dataclass
class Reach:
    """What the tests run, and for how long."""

    runners: Runners = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, other: Reach) -> None:
        """Join what another process found."""
        self.seconds |= other.seconds
        self.failed += other.failed
        for file, lines in other.runners.items():
            for line, names in lines.items():
                self.runners[file][line] |= names


class Tests:
    """The unit tests, collected."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self._items = items
        self._reach = Reach()
        self._sizes: dict[str, int] = {}

    def measure(self) -> list[str]:
        """Run every test once to see which lines of the program it runs; returns those that fail."""
        shares = [self._items[n::PROCESSES] for n in range(PROCESSES)]
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, str(n)) for n in range(PROCESSES)]
            for number, status in in_processes(
                [
                    lambda f=f, share=share: f.write_bytes(pickle.dumps(_reach(share)))
                    for f, share in zip(files, shares)
                ],
                WAIT,
            ):
                if status:
                    return [f"process {number} ended with {status}"]
                self._reach.add(pickle.loads(files[number].read_bytes()))  # noqa: S301 -- ours
        sizes = defaultdict[str, int](int)
        for lines in self._reach.runners.values():
            for names in lines.values():
                for name in names:
                    sizes[name] += 1
        self._sizes = sizes
        return self._reach.failed

    def of(self, mutant: Mutant) -> list[pytest.Item]:
        """The tests that run the changed statement, the quickest first."""
        lines = self._reach.runners[str(path_of(mutant.module))]
        names = set[str]().union(*(lines[line] for line in mutant.lines if line in lines))
        found = [item for item in self._items if names & _names(item)]
        near = sorted(found, key=lambda item: (self._size(item), item.nodeid))[:TESTS]
        return sorted(near, key=lambda item: self._reach.seconds[item.nodeid])

    def _size(self, item: pytest.Item) -> int:
        return sum(self._sizes.get(name, 0) for name in _names(item))

    def unnoticed(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, int]]:
        """Each mutant that no test notices, with the number of tests that were tried."""
        chosen = [self.of(mutant) for mutant in mutants]
        tried = [number for number, tests in enumerate(chosen) if tests]
        yield from ((mutant, 0) for mutant, tests in zip(mutants, chosen, strict=True) if not tests)
        works = [lambda n=n: _try(mutants[n], chosen[n]) for n in tried]
        for number, status in in_processes(works, 60):
            if status == 0:
                yield mutants[tried[number]], len(chosen[tried[number]])


def _names(item: pytest.Item) -> set[str]:
    return {item.nodeid, *(f"fixture {name}" for name in getattr(item, "fixturenames", ()))}


def _try(mutant: Mutant, tests: Sequence[pytest.Item]) -> None:
    mutant.apply()
    for item, following in zip(tests, [*tests[1:], None], strict=True):
        if _fails(item, following):
            sys.exit(1)


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return any(report.failed for report in reports)


def _reach(items: Sequence[pytest.Item]) -> Reach:
    reach = Reach()
    watched = [f"{CHECKOUT / folder}/*" for folder in MUTATED]
    measured = coverage.Coverage(data_file=None, config_file=False, include=watched)
    if items:
        items[0].config.pluginmanager.register(_Contexts(measured))
    measured.start()
    for item, following in zip(items, [*items[1:], None], strict=True):
        measured.switch_context(item.nodeid)
        began = time.process_time()
        if _fails(item, following):
            reach.failed.append(item.nodeid)
        reach.seconds[item.nodeid] = time.process_time() - began
    measured.stop()
    data = measured.get_data()
    for file in data.measured_files():
        reach.runners[file] = {
            line: set(names) for line, names in data.contexts_by_lineno(file).items()
        }
    return reach


class _Contexts:
    """Whatever a shared fixture runs, every test runs that uses it."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        self._measured.switch_context(f"fixture {fixturedef.argname}")
        result = yield
        self._measured.switch_context(request.node.nodeid)
        return result


def in_processes(works: Sequence[Callable[[], object]], seconds: int) -> Iterator[tuple[int, int]]:
    """Run each in a fork of its own, a few at once; yields its number and its exit status.

    Args:
        seconds: of processor time, after which a fork is ended.
    """
    running = dict[int, tuple[int, str]]()
    waiting = list(enumerate(works))[::-1]
    while running or waiting:
        while waiting and len(running) < PROCESSES:
            number, work = waiting.pop()
            folder = tempfile.mkdtemp()
            running[_fork(work, folder, seconds)] = number, folder
        pid, status = os.wait()
        number, folder = running.pop(pid)
        shutil.rmtree(folder, ignore_errors=True)
        yield number, status


def _fork(work: Callable[[], object], folder: str, seconds: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, WAIT)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        if not os.environ.get("MUTATION_DEBUG"):
            os.dup2(quiet, 2)
        work()
        status = 0
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
        status = 2
    finally:
        os._exit(status)
