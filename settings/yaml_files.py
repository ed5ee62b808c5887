"""YAML files as they stand, with what YAML would swallow reported instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from settings.problems import Problem

KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
"""What YAML calls a text, and the key `<<`."""


class _StrictLoader(yaml.CSafeLoader):
    """Safe YAML that refuses a mapping in which a key stands twice, or is no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag not in KEYS:
                raise _KeyError(key, "is a key and no text", "put it in quotes")
            if key.value in seen:
                raise _KeyError(key, "is named twice", "keep one of the two entries")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _KeyError(Exception):
    def __init__(self, key: yaml.Node, rule: str, remedy: str) -> None:
        self.place = f"line {key.start_mark.line + 1}"
        self.key = key.value if isinstance(key, yaml.ScalarNode) else ""
        self.rule = rule
        self.remedy = remedy
        super().__init__(self.key)


def read_mapping(path: Path, problems: list[Problem]) -> dict[str, Any] | None:
    """The mapping in the YAML file `path`; on a fault a problem is added and None returned."""

    def fault(place: str, value: str, rule: str, remedy: str) -> None:
        problems.append(Problem(path.name, place, value, rule, remedy))

    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader by descent
    except FileNotFoundError:
        fault("", "", "the file does not exist", "create it: README.md has an annotated example")
    except OSError as error:
        fault("", "", f"cannot be read: {error.strerror}", "put a readable file in its place")
    except UnicodeDecodeError:
        fault("", "", "is not in UTF-8", "save it in that encoding")
    except _KeyError as error:
        fault(error.place, error.key, error.rule, error.remedy)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else ""
        fault(place, "", f"is not YAML: {getattr(error, 'problem', error)}", "mend the syntax")
    else:
        if isinstance(content, dict):
            return content
        fault("", type(content).__name__, "must be a mapping", "see the annotated example")
    return None
