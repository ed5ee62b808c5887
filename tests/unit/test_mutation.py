"""Which functions the mutation tests of a change try."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import report, touched

SOURCE = """\
TABLE = {"a": 1}


def first(x: int) -> int:
    return x + 1


class Rules:
    limit = 3

    def check(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return "rules"


def last() -> int:
    value = 1
    return value
"""


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
        ("@@ -5 +5 @@ def first", {"settings.rules.x_first"}),
        ("@@ -11,0 +12 @@", {"settings.rules.xǁRulesǁcheck"}),
        ("@@ -20,2 +20,2 @@", {"settings.rules.x_last"}),
        ("@@ -3,9 +5,7 @@", {"settings.rules.x_first", "settings.rules.xǁRulesǁcheck"}),
        ("@@ -16 +16 @@ a property, which cannot be mutated", set()),
        ("@@ -1 +1 @@ a table, which cannot be mutated", set()),
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


def test_a_score_counts_what_no_test_reaches_as_not_noticed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = {
        "settings.rules.x_first__mutmut_1": "killed",
        "settings.rules.x_first__mutmut_2": "timeout",
        "settings.rules.x_last__mutmut_1": "survived",
        "gitops.tree.x_scaffold__mutmut_1": "no tests",
    }
    assert report(results) == 50
    assert capsys.readouterr().out.splitlines() == [
        "  no tests: gitops.tree.x_scaffold__mutmut_1",
        "  survived: settings.rules.x_last__mutmut_1",
        "   0 % of    1 mutants noticed in gitops.tree",
        "  66 % of    3 mutants noticed in settings.rules",
        "  50 % of    4 mutants noticed",
    ]
