"""Mutation tests: which mutants there are, which tests they get, and what a change touches."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.mutation import accepted
from tests.mutation.__main__ import matching, report, score
from tests.mutation.changes import NoBaseError, base, changed_functions, touched
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.reach import Reach
from tests.mutation.sample import problem, sampled
from tests.mutation.trial import Verdict
from tests.mutation.vocabulary import Vocabulary

SOURCE = """\
TABLE = {"a": 1}


def first(x: int, step: int = 1) -> int:
    if x < 3:
        return x
    return (
        x +
        step
    )


class Rules:
    limit = 3

    def check(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return "rules"


def last() -> str:
    return "a" + \\
        "a"
"""


# Which mutants there are


def test_each_function_is_changed_one_piece_at_a_time() -> None:
    found = [(mutant.line, mutant.short) for mutant in mutants("settings.rules", SOURCE)]
    assert found == [
        (
            4,
            "first: def first(x: int, step: int = 1) -> int: → "
            "def first(x: int, step: int = 2) -> int:",
        ),
        (5, "first: if x < 3: → if x < 4:"),
        (5, "first: if x < 3: → if x <= 3:"),
        (8, "first: x + step → x - step"),
        (17, "Rules.check: return True → return False"),
        (21, 'Rules.name: return "rules" → return "XXrulesXX"'),
        (25, 'last: return "a" + \\ "a" → return "a" - "a"'),
        (25, 'last: return "a" + \\ → return "XXaXX" + \\'),
        (26, 'last: "a" → "XXaXX"'),
    ]


def test_the_tests_of_a_mutant_run_its_statement_or_the_head_of_it() -> None:
    lines = {mutant.short.partition(" ")[2]: mutant.lines for mutant in mutants("m", SOURCE)}
    assert lines["if x < 3: → if x <= 3:"] == range(5, 6)
    assert lines["x + step → x - step"] == range(7, 11)
    assert lines["return True → return False"] == range(17, 18)


def test_the_same_change_twice_in_one_function_has_a_number() -> None:
    code = 'def f(g):\n    g("a")\n    g("b")\n    g("a")\n'
    assert [mutant.short for mutant in mutants("m", code)] == [
        'f: g("a") → g("XXaXX")',
        'f: g("b") → g("XXbXX")',
        'f: g("a") → g("XXaXX") (2)',
    ]


def test_one_mutant_for_each_argument_is_enough() -> None:
    code = "def f(g, a, b):\n    g(a, b, key=b)\n    g(\n        a,\n        b,\n    )\n"
    assert [mutant.short for mutant in mutants("m", code)] == [
        "f: g(a, b, key=b) → g(None, b, key=b)",
        "f: g(a, b, key=b) → g(a, None, key=b)",
        "f: g(a, b, key=b) → g(a, b, )",
        "f: a, → None,",
        "f: b, → None,",
    ]


MODULE = """\
from functools import cache

BASE = 10


def plus(x: int, step: int = 1, *, more: int = BASE) -> int:
    return x + step + more


@cache
def cached() -> str:
    return "a"


class Shape:
    sides = 3

    def double(self) -> int:
        return self.sides * 2

    @property
    def name(self) -> str:
        return "shape"

    @staticmethod
    def of(x: int) -> int:
        return x + 1

    @classmethod
    def some(cls) -> int:
        return cls.sides + 1
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that can be imported."""
    (tmp_path / "a_module_to_mutate.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("a_module_to_mutate")
    del sys.modules["a_module_to_mutate"]


CALLS: dict[str, tuple[Callable[[Any], object], object, object]] = {
    "plus: return x + step + more → return x + step - more": (lambda m: m.plus(1), 12, -8),
    'cached: return "a" → return "XXaXX"': (lambda m: m.cached(), "a", "XXaXX"),
    "Shape.double: return self.sides * 2 → return self.sides * 3": (
        lambda m: m.Shape().double(),
        6,
        9,
    ),
    'Shape.name: return "shape" → return "XXshapeXX"': (
        lambda m: m.Shape().name,
        "shape",
        "XXshapeXX",
    ),
    "Shape.of: return x + 1 → return x + 2": (lambda m: m.Shape.of(1), 2, 3),
    "Shape.some: return cls.sides + 1 → return cls.sides - 1": (lambda m: m.Shape.some(), 4, 2),
}


@pytest.mark.parametrize("change", CALLS)
def test_a_mutant_takes_the_place_of_the_function_wherever_it_is_known(
    module: Any, change: str
) -> None:
    call, before, after = CALLS[change]
    other = SimpleNamespace(**vars(module))  # whoever imported the names
    if change.partition(":")[0] != "cached":
        assert call(other) == before
    mutant(change).apply()
    assert call(other) == after


def test_a_mutant_may_change_the_default_of_an_argument(module: Any) -> None:
    head = "def plus(x: int, step: int = {}, *, more: int = BASE) -> int:"
    mutant(f"plus: {head.format(1)} → {head.format(2)}").apply()
    assert module.plus(1) == 13


def mutant(short: str) -> Mutant:
    return next(m for m in mutants("a_module_to_mutate", MODULE) if m.short == short)


def test_modules_are_named_or_are_in_what_is_named() -> None:
    assert matching(["settings.rules.network", "settings.ranges"]) == [
        "settings.ranges",
        "settings.rules.network",
    ]
    assert "settings.rules.network" in matching(["settings.rules"])
    assert matching(["settings.rule"]) == []
    assert {name.partition(".")[0] for name in matching([])} == {"components", "gitops", "settings"}
    assert not [name for name in matching([]) if "templates" in name]


# Which tests they are given


def items(*names: str, fixtures: Iterable[str] = ()) -> list[Any]:
    return [SimpleNamespace(nodeid=name, fixturenames=[*fixtures]) for name in names]


def test_the_tests_that_run_the_line_are_tried_the_quickest_first() -> None:
    reach = Reach(seconds={"slow": 2, "quick": 1, "elsewhere": 0, "by fixture": 0.5})
    for line, who in ((7, "slow"), (7, "quick"), (8, "elsewhere"), (7, "fixture dev")):
        reach.runners["a.py"][line].add(who)
    found = [*items("slow", "quick", "elsewhere"), *items("by fixture", fixtures=["dev"])]
    chosen = reach.nearest(found, "a.py", range(6, 8))
    assert [item.nodeid for item in chosen] == ["by fixture", "quick", "slow"]
    assert reach.nearest(found, "b.py", range(6, 8)) == []


def test_of_many_tests_those_that_run_little_else_are_tried_and_the_golden_ones() -> None:
    small = [f"{number:03d}" for number in range(60)]
    large = [f"{number:03d}" for number in range(60, 160)]
    reach = Reach(seconds=dict.fromkeys([*small, *large, "a_golden"], 0.01))
    for name in reach.seconds:
        reach.runners["a.py"][7].add(name)
    for name in (*large, "a_golden"):
        reach.runners["a.py"][9].add(name)
    found = items(*small, *large, "a_golden")
    chosen = reach.nearest(found, "a.py", [7], lambda test: float(test in large[10:]))
    assert [item.nodeid for item in chosen] == [*small, *large[18:], *large[10:18], "a_golden"]
    reach.seconds |= dict.fromkeys(small[7:], 5.0)
    chosen = reach.nearest(found, "a.py", [7], lambda test: float(test in large[10:]))
    in_time = [*small[:7], *large[18:], "007", "008", *large[10:18], "a_golden"]
    assert [item.nodeid for item in chosen] == in_time, "others would take too long"


def test_a_test_that_has_the_rarer_words_of_a_statement_speaks_of_it() -> None:
    tests = {
        "target": "def test_a_stage(service): assert '--target' in build(service)",
        "service": "def test_a_port(service): assert service.port",
        "nothing": "def test(): pass",
    }
    likeness = Vocabulary(tests).likeness('["--target", buildStage.target, service]')
    # service is in two tests; target, build and stage are in one.
    assert [likeness(test) for test in tests] == [3.5, 0.5, 0]


def test_what_two_processes_measured_is_joined() -> None:
    reach, other = Reach(seconds={"a": 1}, failed=["a"]), Reach(seconds={"b": 2}, failed=["b"])
    reach.runners["a.py"][1].add("a")
    other.runners["a.py"][1].add("b")
    reach.add(other)
    assert reach.runners["a.py"][1] == {"a", "b"}
    assert (reach.seconds, reach.failed) == ({"a": 1, "b": 2}, ["a", "b"])


# What is reported


def verdict(line: int, *, noticed: bool = True, tests: int = 2) -> Verdict:
    changed = Mutant(
        module="settings.ranges",
        function="check",
        line=line,
        change=f"{line} → 0",
        lines=range(line, line + 1),
        around=range(1, 9),
        source="",
    )
    return Verdict(mutant=changed, tests=tests, noticed=noticed)


def test_what_nothing_notices_is_told_unless_it_is_accepted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"settings.ranges": {"check: 3 → 0": "a reason"}, "*": {"2 → 0": "another"}}
    monkeypatch.setattr("tests.mutation.__main__.accepted", lambda: known)
    fine = [verdict(1), verdict(2, noticed=False), verdict(3, noticed=False)]
    assert report(fine) == 0
    assert capsys.readouterr().out == ""
    assert score("some", fine) == "some: 1 of 3 mutants noticed, 2 accepted"

    assert report([*fine, verdict(4, noticed=False), verdict(5, noticed=False, tests=0)]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "settings/ranges.py:4: none of 2 tests fails",
        "  settings.ranges.check: 4 → 0",
        "settings/ranges.py:5: no test runs it",
        "  settings.ranges.check: 5 → 0",
    ]


def test_an_accepted_mutant_that_is_none_any_more_is_told() -> None:
    known = {"settings.ranges": {"check: 3 → 0": "a reason", "check: 4 → 0": "another"}}
    assert accepted.outdated("settings.ranges", [verdict(3).mutant], known) == ["check: 4 → 0"]
    assert accepted.outdated("settings.naming", [], known) == []


def test_every_accepted_mutant_has_a_reason_and_a_module() -> None:
    for module, reasons in accepted.accepted().items():
        assert module in [*matching([]), "*"]
        assert all(len(reason) > 10 for reason in reasons.values())


# What a change touches


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A module of two functions and a class."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "rules.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "settings" / "notes.md").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def changed(*hunks: str, path: str = "settings/rules.py") -> str:
    return "\n".join([f"--- a/{path}", f"+++ b/{path}", *hunks])


@pytest.mark.parametrize(
    ("hunk", "names"),
    [
        ("@@ -4 +4 @@ def first", {"settings.rules.first"}),
        ("@@ -16,0 +17 @@", {"settings.rules.Rules.check"}),
        ("@@ -24,2 +24,2 @@", {"settings.rules.last"}),
        ("@@ -3,9 +5,13 @@", {"settings.rules.first", "settings.rules.Rules.check"}),
        ("@@ -19 +19 @@ a decorator", {"settings.rules.Rules.name"}),
        ("@@ -1 +1 @@ a table, which is not mutated", set()),
    ],
)
def test_a_change_touches_the_functions_around_its_lines(
    program: Path, hunk: str, names: set[str]
) -> None:
    assert touched(changed(hunk), program) == names


def test_what_is_no_python_or_is_gone_touches_nothing(program: Path) -> None:
    assert touched(changed("@@ -5 +5 @@", path="settings/notes.md"), program) == set()
    gone = "--- a/settings/rules.py\n+++ /dev/null\n@@ -1,20 +0,0 @@"
    assert touched(gone, program) == set()


def repository(**answers: str) -> Callable[..., str]:
    """A Git that knows these answers, by its arguments with `_` between them, and no others."""

    def run(*arguments: str) -> str:
        key = "_".join(arguments).replace("/", "_").replace("-", "_").replace("~", "_")
        if key not in answers:
            raise NoBaseError(key)
        return answers[key] + "\n"

    return run


def test_a_change_begins_where_it_left_main() -> None:
    head = {"rev_parse_HEAD": "c"}
    branch = repository(**head, merge_base_origin_main_HEAD="a", merge_base_main_HEAD="b")
    assert base(branch) == "a"
    assert base(repository(**head, merge_base_main_HEAD="b")) == "b"


def test_on_main_the_last_commit_is_the_change() -> None:
    on_main = repository(
        rev_parse_HEAD="c", merge_base_main_HEAD="c", rev_parse___verify_HEAD_1="b"
    )
    assert base(on_main) == "b"


def test_a_clone_without_history_has_no_base() -> None:
    with pytest.raises(NoBaseError):
        base(repository(rev_parse_HEAD="c", merge_base_main_HEAD="c"))
    with pytest.raises(NoBaseError):
        changed_functions(repository())


def test_a_sample_is_the_same_each_time_and_no_larger_than_is_allowed() -> None:
    names = {
        "settings.files.read_yaml",
        "settings.parsing._problem",
        "settings.schedules._possible",
        "settings.sync_windows.without_effect",
    }
    sample, left = sampled(names)
    again, _ = sampled(sorted(names))
    assert [str(one) for one in sample] == [str(one) for one in again]
    assert len(sample) == 60
    assert left > 0
    assert {f"{one.module}.{one.function}" for one in sample} == names
    assert sampled([]) == ([], 0)


@pytest.mark.parametrize(
    ("size", "tried", "survivors"),
    [(1, 1, 1), (3, 3, 1), (60, 60, 9), (60, 20, 3), (60, 10, 1), (9, 9, 0)],
)
def test_one_survivor_or_few_of_a_sample_are_told_and_are_no_failure(
    size: int, tried: int, survivors: int
) -> None:
    assert problem(size=size, tried=tried, survivors=survivors) == ""


@pytest.mark.parametrize(("tried", "survivors"), [(60, 10), (20, 4), (13, 2), (2, 2)])
def test_a_sample_that_is_noticed_too_little_fails(tried: int, survivors: int) -> None:
    assert problem(size=tried, tried=tried, survivors=survivors) == (
        f"{survivors} of {tried} mutants survive: the tests have to notice 85 %"
    )


@pytest.mark.parametrize(("size", "tried"), [(60, 9), (10, 9), (9, 8), (1, 0)])
def test_a_sample_of_which_little_can_be_tried_fails(size: int, tried: int) -> None:
    assert problem(size=size, tried=tried, survivors=0) == (
        f"only {tried} of {size} mutants could be tried: the tests that run them are slow"
    )
