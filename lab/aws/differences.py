"""What differs between what was declared and what is declared now, property by property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lab.aws.table import Kind, Property, Values
from lab.aws.wire import UNKNOWN, has_unknown

Change = Literal["add", "delete", "update"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One path that differs: `tags.Name`, `subnetIds[1]`."""

    path: str
    change: Change
    replaces: bool


def differences(kind: Kind, old: Values, new: Values) -> list[Difference]:
    """Every difference between old and new inputs, in the order of the table."""
    found = []
    for row in kind.inputs:
        before, after = old.get(row.name), new.get(row.name)
        if same(row, before, after):
            continue
        replaces = row.replaces(before, after) if callable(row.replaces) else row.replaces
        found += [
            Difference(path=path, change=change, replaces=replaces)
            for path, change in _paths(row.name, before, after, whole=row.unordered or row.json)
        ]
    return found


def changed(kind: Kind, old: Values, new: Values) -> set[str]:
    """The names of the properties that differ."""
    return {row.name for row in kind.inputs if not same(row, old.get(row.name), new.get(row.name))}


def same(row: Property, before: Any, after: Any) -> bool:
    """Whether AWS could tell the two values of a property apart."""
    if after is None and (row.computed or _empty(before)):
        return True
    if before is None and _empty(after):
        return True
    return bool(_comparable(row, before) == _comparable(row, after))


def agrees(row: Property, declared: Any, observed: Any) -> bool:
    """Whether what AWS shows is what was declared, perhaps with more beside it."""
    if declared is None:
        return True
    return _covers(_comparable(row, declared), _comparable(row, observed))


def _empty(value: Any) -> bool:
    return value is None or value in ([], {}, "")


def _comparable(row: Property, value: Any) -> Any:
    if row.json and isinstance(value, str) and value != UNKNOWN:
        return _policy(value)
    if row.unordered and isinstance(value, list) and not has_unknown(value):
        return sorted(value, key=lambda item: json.dumps(item, sort_keys=True))
    return _loose(value)


def _loose(value: Any) -> Any:
    """Text and the number or truth value that it spells are the same to AWS."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _loose(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_loose(item) for item in value]
    return value


def _policy(text: str) -> Any:
    """A policy document without the freedoms of its notation."""
    try:
        return _settled(json.loads(text))
    except ValueError:
        return text


def _settled(value: Any) -> Any:
    """IAM takes a list of one for its only item, and lists in any order."""
    if isinstance(value, Mapping):
        return {name: _settled(item) for name, item in value.items()}
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return value[0] if len(value) == 1 else sorted(value)
        settled = [_settled(item) for item in value]
        return settled[0] if len(settled) == 1 else settled
    return value


def _covers(declared: Any, observed: Any) -> bool:
    if isinstance(declared, Mapping):
        return isinstance(observed, Mapping) and all(
            _covers(item, observed.get(name)) for name, item in declared.items()
        )
    if isinstance(declared, list):
        observed = observed or []
        return (
            isinstance(observed, list)
            and len(declared) == len(observed)
            and all(_covers(one, other) for one, other in zip(declared, observed, strict=True))
        )
    return bool(declared == observed or (_empty(declared) and _empty(observed)))


def _paths(path: str, old: Any, new: Any, *, whole: bool) -> list[tuple[str, Change]]:
    if old is None:
        return [(path, "add")]
    if new is None:
        return [(path, "delete")]
    if not whole and isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [(_step(path, name), old.get(name), new.get(name)) for name in sorted({*old, *new})]
    elif not whole and isinstance(old, list) and isinstance(new, list):
        longest = range(max(len(old), len(new)))
        pairs = [(f"{path}[{at}]", _item(old, at), _item(new, at)) for at in longest]
    else:
        return [(path, "update")]
    return [
        found
        for inner, before, after in pairs
        if before != after
        for found in _paths(inner, before, after, whole=False)
    ]


def _step(path: str, name: str) -> str:
    plain = name.replace("_", "").isalnum()
    return f"{path}.{name}" if plain else f'{path}["{name}"]'


def _item(items: list[Any], at: int) -> Any:
    return items[at] if at < len(items) else None
