"""Which tests speak of a piece of code: their text, or their case, has its rarer words."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

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

    def likeness(self, code: str) -> Callable[[str], float]:
        """How much a test, given by its id, speaks of the code.

        A word counts the more, the fewer tests have it.
        """
        own = words(code)
        return lambda test: sum(1 / self._tests[word] for word in own & self._words[test])


def _text(item: pytest.Item) -> str:
    function = getattr(item, "function", None)
    given = getattr(item, "callspec", None)
    parameters = given.params if given else {}
    return " ".join(
        [
            inspect.getsource(function) if function else "",
            item.nodeid,
            str(parameters),
            *(str(case) for case in _cases(function, parameters.values())),
        ]
    )


def _cases(function: object, parameters: Iterable[object]) -> Iterator[object]:
    """What tables of the test's module, which the test reads, have under its parameters."""
    code = getattr(function, "__code__", None)
    for name in code.co_names if code else ():
        table = getattr(function, "__globals__", {}).get(name)
        if isinstance(table, Mapping):
            yield from (table[key] for key in parameters if isinstance(key, str) and key in table)
