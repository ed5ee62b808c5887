"""YAML files as they stand, with a duplicate key reported instead of swallowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from settings.problems import Problem


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a mapping in which a key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise _DuplicateKeyError(key.value, key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _DuplicateKeyError(Exception):
    def __init__(self, key: str, line: int) -> None:
        self.key = key
        self.line = line
        super().__init__(key)


def read_mapping(path: Path, problems: list[Problem]) -> dict[str, Any] | None:
    """The mapping in the YAML file `path`; on a fault a problem is added and None returned."""

    def fault(place: str, value: str, rule: str, remedy: str) -> None:
        problems.append(Problem(path.name, place, value, rule, remedy))

    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader by descent
    except FileNotFoundError:
        fault("", "", "the file does not exist", "create it: README.md has an annotated example")
    except _DuplicateKeyError as error:
        fault(f"line {error.line}", error.key, "is named twice", "keep one of the two entries")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else ""
        fault(place, "", f"is not YAML: {getattr(error, 'problem', error)}", "mend the syntax")
    else:
        if isinstance(content, dict):
            return content
        fault("", type(content).__name__, "must be a mapping", "see the annotated example")
    return None
