"""The files of the configuration: where they are, how they are read, and on which line each key is.

What YAML would accept silently, such as a key that is named twice, is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from settings.problems import MISSING, Problem

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the program, with its stack files and the catalogue."""
CATALOGUE_FILE = "services.yaml"
_CONFIG = "config."
_NOT_IMPORTED = (
    "write it into the file: what `environment:` brings from Pulumi ESC, Pulumi gives to that "
    "stack alone, and the other stacks read the file"
)
_TEXT_OR_MERGE = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
"""YAML's tags of a text and of the key `<<`."""


def stack_file(stack: str) -> str:
    """The name of a stack's file."""
    return f"Pulumi.{stack}.yaml"


def stack_files(root: Path) -> dict[str, Path]:
    """Every stack file in `root`, by the stack's name."""
    return {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path
        for path in sorted(root.glob("Pulumi.*.yaml"))
    }


@dataclass(frozen=True, kw_only=True)
class YamlFile:
    """A file that was read."""

    name: str
    content: Mapping[str, Any]
    lines: Mapping[str, int]
    """The line of each key and list item, by its path, such as `nodeGroups[0].minSize`."""
    imports: bool = False
    """Whether a stack file names environments of Pulumi ESC, whose values are not in it."""

    def of_stack(self) -> YamlFile:
        """What a stack file says below `config:`; Pulumi keeps its own keys beside it."""
        config = self.content.get("config")
        return YamlFile(
            name=self.name,
            content=config if isinstance(config, dict) else {},
            lines={
                path.removeprefix(_CONFIG): line
                for path, line in self.lines.items()
                if path.startswith(_CONFIG)
            },
            imports="environment" in self.content,
        )

    def only(self, values: Mapping[str, Any]) -> YamlFile:
        """The file, with the lines of those keys alone that have the same value in `values`."""
        same = {key for key, value in self.content.items() if _alike(value, values.get(key))}
        lines = {path: line for path, line in self.lines.items() if _top(path, same)}
        return YamlFile(name=self.name, content=values, lines=lines)


@dataclass(frozen=True)
class Sources:
    """Which line of which file says what."""

    files: Mapping[str, YamlFile | None]
    """By the name under which a problem has the file; None where it cannot be read."""

    def located(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """The problems, each with the line of its key, or of the nearest one around it."""
        for problem in problems:
            file = self.files.get(problem.file)
            if file is None:
                yield problem
                continue
            elsewhere = file.imports and problem.rule == MISSING
            remedy = _NOT_IMPORTED if elsewhere else problem.remedy
            line = problem.line or _line(file.lines, problem.path)
            yield replace(problem, file=file.name, line=line, remedy=remedy)


NO_SOURCES = Sources(MappingProxyType({}))
"""Of settings that no file gave."""


def read_yaml(path: Path, problems: list[Problem]) -> YamlFile | None:
    """The mapping in the YAML file `path`; None where there is none, and problems say why."""

    def fault(rule: str, remedy: str, *, value: str = "", line: int | None = None) -> None:
        problems.append(Problem(path.name, "", value, rule, remedy, line))

    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        entries = list(_entries(node))
        if faults := list(_key_faults(entries, path.name)):
            problems.extend(faults)
            return None
        content = loader.construct_document(node) if node else None
    except FileNotFoundError:
        fault("the file does not exist", "create it: README.md has an annotated example")
    except OSError as error:
        fault(f"cannot be read: {error.strerror}", "put a readable file in its place")
    except UnicodeDecodeError:
        fault("is not in UTF-8", "save it in that encoding")
    except yaml.YAMLError as error:
        first, *_ = str(getattr(error, "problem", error)).splitlines()
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        fault(f"is not YAML: {first}", "correct the syntax", line=line)
    else:
        if isinstance(content, dict):
            lines = {entry.path: entry.line for entry in entries}
            return YamlFile(name=path.name, content=content, lines=lines)
        fault("must be a mapping", "see the annotated example", value=type(content).__name__)
    return None


class _Loader(yaml.CSafeLoader):
    """PyYAML's, which also says where a value is that it takes for a date that there is not."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from None


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A key of a mapping, or an item of a list."""

    path: str
    line: int
    mapping: int | None
    """Which mapping the key belongs to; None for an item of a list."""
    key: yaml.Node


def _entries(root: yaml.Node | None) -> Iterator[_Entry]:
    """Every key and list item below `root`; what an alias repeats is visited once."""
    open_, seen = [("", root)], set[int]()
    while open_:
        path, node = open_.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        steps: list[tuple[str, int | None, yaml.Node, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            dot = "." if path else ""
            steps = [(f"{path}{dot}{key.value}", id(node), key, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            steps = [(f"{path}[{i}]", None, item, item) for i, item in enumerate(node.value)]
        for inner, mapping, key, value in steps:
            line = key.start_mark.line + 1
            yield _Entry(path=inner, line=line, mapping=mapping, key=key)
            open_.append((inner, value))


def _key_faults(entries: Iterable[_Entry], file: str) -> Iterator[Problem]:
    """Keys that are named twice in one mapping, and keys that are no text."""
    first: dict[tuple[int, str], int] = {}
    for entry in entries:
        if entry.mapping is None:
            continue
        name = entry.key.value if isinstance(entry.key, yaml.ScalarNode) else ""
        if entry.key.tag not in _TEXT_OR_MERGE:
            rule, remedy = "is a key and no text", "put it in quotes"
            yield Problem(file, "", name, rule, remedy, entry.line)
            continue
        if line := first.get((entry.mapping, name)):
            rule = f"is named twice, first on line {line}"
            yield Problem(file, entry.path, "", rule, "keep one of the two entries", entry.line)
        first.setdefault((entry.mapping, name), entry.line)


def _line(lines: Mapping[str, int], path: str) -> int | None:
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path)


def _alike(written: object, given: object) -> bool:
    """Whether a file's value is the one that Pulumi gives, which has every scalar as text."""
    return written == given or (
        not isinstance(written, dict | list) and str(written).lower() == str(given).lower()
    )


def _top(path: str, keys: set[str]) -> bool:
    return path.partition(".")[0].partition("[")[0] in keys
