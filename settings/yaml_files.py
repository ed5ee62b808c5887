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
                raise _DuplicateKey(key.value, key.start_mark.line + 1)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _DuplicateKey(Exception):
    def __init__(self, key: str, line: int) -> None:
        self.key = key
        self.line = line
        super().__init__(key)


def read_mapping(path: Path, problems: list[Problem]) -> dict[str, Any]:
    """The mapping in the YAML file `path`; on a fault a problem is added and {} is returned."""

    def fault(place: str, value: str, rule: str, remedy: str) -> dict[str, Any]:
        problems.append(Problem(path.name, place, value, rule, remedy))
        return {}

    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)
    except FileNotFoundError:
        return fault("", "", "the file does not exist", f"create it: see {path.name} in README.md")
    except _DuplicateKey as error:
        return fault(
            f"line {error.line}", error.key, "is named twice", "keep one of the two entries"
        )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else ""
        return fault(
            place, "", f"is not YAML: {getattr(error, 'problem', error)}", "mend the syntax"
        )
    if not isinstance(content, dict):
        return fault("", type(content).__name__, "must be a mapping", "see the annotated example")
    return content
