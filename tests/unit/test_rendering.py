"""How templates are read, and what their filters write."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from gitops import rendering


def rendered(text: str) -> str:
    template = rendering._jinja.__wrapped__().from_string(text)
    return template.render(words=["größer", "word " * 40 + "X"])


def test_brackets_are_the_templates_and_braces_are_not() -> None:
    text = "a [# a note #]{{ .Values.x }} ${{ y }} {% z %} ${#list}\n"
    assert rendered(text) == "a {{ .Values.x }} ${{ y }} {% z %} ${#list}\n"


def test_a_line_with_nothing_but_a_block_is_no_line() -> None:
    assert rendered("  [% if true %]\nx\n  [% endif %]\ny\n") == "x\ny\n"


def test_what_nobody_gave_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'nothing' is undefined"):
        rendered("[[ nothing ]]")


def test_a_quoted_text_is_on_one_line_in_its_own_letters() -> None:
    assert rendered("[[ words[0] | quoted ]]") == '"größer"'
    assert rendered("[[ words[1] | quoted ]]") == '"' + "word " * 40 + 'X"'


def test_content_as_yaml_ends_with_its_last_letter() -> None:
    assert rendered("[[ {'a': words[1]} | yaml ]]") == "a: " + "word " * 40 + "X"
