"""What Go's YAML parsers would read as a number or a truth is written in quotes."""

from __future__ import annotations

import pytest

from gitops.go_yaml import go_yaml


@pytest.mark.parametrize("text", ["y", "N", "2e2", "1_0E-3", ".5e3", "0o17", "+1.e3"])
def test_a_text_stays_a_text(text: str) -> None:
    assert go_yaml({text: [text]}) == f'"{text}":\n- "{text}"\n'


@pytest.mark.parametrize("text", ["yes and no", "e2", "10.1.1", "1.2-rc.1", "v1", "node"])
def test_what_is_no_number_has_no_quotes(text: str) -> None:
    assert go_yaml({text: text}) == f"{text}: {text}\n"


def test_letters_of_every_language_are_written_as_they_are() -> None:
    assert go_yaml({"note": "größer"}) == "note: größer\n"


def test_no_line_is_broken() -> None:
    long = "word " * 40 + "end"
    assert go_yaml({"a": long}) == f"a: {long}\n"


def test_lines_are_those_of_the_text() -> None:
    long = "word " * 40 + "end"
    assert go_yaml({"a": f"{long}\nnext\n"}) == f"a: |\n  {long}\n  next\n"
