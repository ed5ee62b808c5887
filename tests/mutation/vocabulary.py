"""Which tests speak of a statement: those whose own text has its rarer words."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

_WORD = re.compile(r"[a-z]{3,}")


def words(text: str) -> set[str]:
    """The words of a text: parts of names in code, in lower case."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return set(_WORD.findall(apart.lower()))


class Vocabulary:
    """The words of each test: of its function, its name and its parameters."""

    def __init__(self, texts: dict[str, str]) -> None:
        """`texts` are those of the tests, by their ids."""
        self._words = {test: words(text) for test, text in texts.items()}
        self._tests = Counter(word for found in self._words.values() for word in found)

    @classmethod
    def of(cls, items: Iterable[pytest.Item]) -> Vocabulary:
        return cls({item.nodeid: _text(item) for item in items})

    def likeness(self, statement: str) -> Callable[[str], float]:
        """How much a test, given by its id, speaks of the statement.

        A word counts the more, the fewer tests have it.
        """
        own = words(statement)
        return lambda test: sum(1 / self._tests[word] for word in own & self._words[test])


def _text(item: pytest.Item) -> str:
    function = getattr(item, "function", None)
    given = getattr(item, "callspec", None)
    return " ".join(
        [inspect.getsource(function) if function else "", item.nodeid, str(given and given.params)]
    )
