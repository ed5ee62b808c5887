"""The table applied: what AWS or the provider would refuse of a resource's inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.limits.botocore_models import Row, Table
from tools.limits.botocore_models import rows as botocore_rows
from tools.limits.provider import ROWS

FILE = Path(__file__).with_name("table.json")


def generated() -> str:
    """The table as text: every limit of botocore and of the provider."""
    table = botocore_rows()
    for type_, paths in ROWS.items():
        for path, row in paths.items():
            table[type_].setdefault(path, []).append(dict(row))
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def committed() -> Table:
    table: Table = json.loads(FILE.read_text(encoding="utf-8"))
    return table


def refusals(table: Table, type_: str, inputs: Mapping[str, Any]) -> list[str]:
    """What is wrong with `inputs` of a type, as `path: value: limit`."""
    return [
        f"{path}: {str(value)[:80]}: {limit}"
        for path, limiting in table[type_].items()
        for value in _values(inputs, _steps(path))
        for row in limiting
        for limit in _broken(row, value)
    ]


def _steps(path: str) -> list[str]:
    """`taints[].key` as `taints`, `[]`, `key`."""
    return re.findall(r"\[\]|\{key\}|\{value\}|[A-Za-z0-9]+", path)


def _values(value: Any, steps: list[str]) -> Iterator[Any]:
    """Every value at the path; nothing where it is not set."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step == "[]":
        # Pulumi writes a list of one at most as an object.
        for item in value if isinstance(value, list) else [value]:
            yield from _values(item, rest)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, steps)
    elif step in ("{key}", "{value}"):
        for key, item in value.items():
            yield from _values(key if step == "{key}" else item, rest)
    elif isinstance(value, Mapping) and value.get(step) is not None:
        yield from _values(value[step], rest)


def _broken(row: Row, value: Any) -> Iterator[str]:
    size = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(value, str | list | dict):
        alone = row.get("of") == "list" and not isinstance(value, list)
        size = 1 if alone else len(value)
    if size is not None and "min" in row and size < row["min"]:
        yield f"{size} is less than {row['min']} ({row['source']})"
    if size is not None and "max" in row and size > row["max"]:
        yield f"{size} is more than {row['max']} ({row['source']})"
    if "pattern" in row and not re.fullmatch(_python(row["pattern"]), value):
        yield f"does not match {row['pattern']} ({row['source']})"
    if "enum" in row and value not in row["enum"]:
        yield f"is none of {len(row['enum'])} ({row['source']})"
    if "json" in row and (length := len(_compact(value))) > row["json"]:
        yield f"{length} characters are more than {row['json']} ({row['source']})"


def _python(pattern: str) -> str:
    """Java's classes of characters in Python's words, a little wider."""
    for java, python in (
        (r"\p{L}", r"\w"),
        (r"\p{N}", r"\d"),
        (r"\p{Z}", r"\s"),
        (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"),
    ):
        pattern = pattern.replace(java, python)
    return pattern


def _compact(document: str) -> str:
    return json.dumps(json.loads(document), separators=(",", ":"))
