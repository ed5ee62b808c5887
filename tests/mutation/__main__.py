"""Mutation tests: mutmut's operators change a function, and the unit tests should fail.

    python -m tests.mutation                    the whole of settings/, components/ and gitops/
    python -m tests.mutation settings.ranges    one module or folder, or several
    python -m tests.mutation --each 20          twenty mutants of each module, the same every time
    python -m tests.mutation --changed          a sample of the functions that a change touches

It prints each mutant that no test noticed, and each module's score. It fails where one of them is
not in `accepted.toml`; the sample fails where too many are. Only functions are changed, not the
tables of a module.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest

from tests.mutation.accepted import accepted, is_accepted, outdated
from tests.mutation.changes import NoBaseError, changed_functions
from tests.mutation.mutants import CHECKOUT, Mutant, modules, mutants, path_of
from tests.mutation.sample import SECONDS, problem, sampled, some
from tests.mutation.trial import Trial, Verdict

_PYTEST = (
    *("-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:terminal"),
    *("-s", "-o", "addopts=--strict-markers"),
    # It measures time.
    "--deselect=tests/unit/test_scaffold.py::test_five_hundred_services_render_within_seconds",
)
_OF_THE_REPOSITORY = {"test_documentation.py", "test_exported_project.py", "test_workflows.py"}
"""Tests that run nothing of the program."""


def main(arguments: list[str] | None = None) -> int:
    """Run the mutation tests; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--changed", action="store_true", help="what a change touches")
    parser.add_argument("--tests", nargs="*", metavar="FILE", help="these tests alone")
    parser.add_argument("--each", type=int, metavar="NUMBER", help="so many of each module")
    options = parser.parse_args(arguments)
    if not options.changed:
        wanted = matching(options.modules)
        return with_tests(options.tests, wanted, lambda trial: _all(trial, wanted, options.each))
    try:
        functions = changed_functions()
    except NoBaseError as error:
        print(f"no mutants are tried: Git knows no commit to compare with ({error})")
        return 0
    sample, left = sampled(functions)
    if not sample:
        print("no mutants are tried: no function of the program changed")
        return 0
    print(f"trying {len(sample)} mutants of {len(functions)} changed functions, not {left} others")
    wanted = sorted({mutant.module for mutant in sample})
    return with_tests(options.tests, wanted, lambda trial: _sample(trial, sample))


def with_tests(
    files: Sequence[str] | None, wanted: Sequence[str], use: Callable[[Trial], int]
) -> int:
    """Collect the unit tests, see what they reach of the modules, and return what `use` returns."""
    plugin = _Plugin(wanted, use)
    status = pytest.main([*_PYTEST, *(files or _test_files())], plugins=[plugin])
    return plugin.status if status == pytest.ExitCode.OK else int(status)


class _Plugin:
    """Takes the place of pytest's own loop over the tests."""

    def __init__(self, wanted: Sequence[str], use: Callable[[Trial], int]) -> None:
        self._wanted = wanted
        self._use = use
        self.status = 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        trial = Trial(session.items, self._wanted)
        if failed := trial.measure():
            print("tests fail without a mutant:", *failed, sep="\n  ")
        else:
            self.status = self._use(trial)
        return True


def _test_files() -> Iterator[str]:
    """The unit tests of the program; those of the lab and of this module reach no mutant."""
    foreign = re.compile(r"^(from|import) (lab|tests\.mutation)\b", re.MULTILINE)
    for file in sorted((CHECKOUT / "tests/unit").glob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        if file.name not in _OF_THE_REPOSITORY and not foreign.search(text):
            yield str(file)


def _all(trial: Trial, wanted: Sequence[str], each: int | None) -> int:
    reasons, status, every = accepted(), 0, list[Verdict]()
    for module in wanted:
        found = mutants(module, path_of(module).read_text(encoding="utf-8"))
        for entry in outdated(module, found, reasons):
            print(f"  no mutant any more, remove it from accepted.toml: {entry}")
            status = 1
        verdicts = list(trial.verdicts(some(found, each)))
        status = int(report(verdicts) > 0) or status
        print(score(module, verdicts), flush=True)
        every += verdicts
    print(score("all of them", every))
    return status


def matching(wanted: Sequence[str]) -> list[str]:
    """The modules that are one of `wanted` or in it; all of them where nothing is."""
    return [
        module
        for module in modules()
        if not wanted or any(f"{module}.".startswith(f"{name}.") for name in wanted)
    ]


def _sample(trial: Trial, sample: Sequence[Mutant]) -> int:
    verdicts = list(trial.verdicts(sample, lambda: sum(os.times()[:4]) < SECONDS))
    survivors = report(verdicts)
    print(score("what changed", verdicts))
    if len(verdicts) < len(sample):
        print(f"the time was up: {len(verdicts)} of {len(sample)} mutants were tried")
    found = problem(size=len(sample), tried=len(verdicts), survivors=survivors)
    if found:
        print(found)
    return int(bool(found))


def report(verdicts: Iterable[Verdict]) -> int:
    """Print each mutant that nothing noticed and that is not accepted; returns how many."""
    reasons, survivors = accepted(), 0
    for verdict in verdicts:
        mutant = verdict.mutant
        if not verdict.noticed and not is_accepted(mutant, reasons):
            why = f"none of {verdict.tests} tests fails" if verdict.tests else "no test runs it"
            path = path_of(mutant.module).relative_to(CHECKOUT)
            print(f"{path}:{mutant.line}: {why}\n  {mutant}")
            survivors += 1
    return survivors


def score(what: str, verdicts: Sequence[Verdict]) -> str:
    """How many were noticed, in a line."""
    noticed = sum(verdict.noticed for verdict in verdicts)
    reasons = accepted()
    known = sum(not v.noticed and is_accepted(v.mutant, reasons) for v in verdicts)
    return f"{what}: {noticed} of {len(verdicts)} mutants noticed, {known} accepted"


if __name__ == "__main__":
    sys.exit(main())
