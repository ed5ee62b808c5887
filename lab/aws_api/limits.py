"""Checks the parameters of a call by AWS's models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from lab.aws_api.calls import Call


def problems(call: Call) -> list[str]:
    """A sentence for every parameter that breaks a rule, with its value and the rule."""
    shape = call.operation.input_shape
    if shape is None:
        return []
    report = ParamValidator().validate(call.parameters, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    return [*found, *_beyond(call.parameters, shape, "")]


def _beyond(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Enumerations, lengths and patterns, which botocore's own validator leaves to the service."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, item in value.items():
            if name in shape.members:
                yield from _beyond(item, shape.members[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _too_long(value, shape, path)
        for index, item in enumerate(value):
            yield from _beyond(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        yield from _too_long(value, shape, path)
        for key, item in value.items():
            yield from _beyond(key, shape.key, f"{path} (key {key})")
            yield from _beyond(item, shape.value, f"{path}.{key}")
    elif isinstance(value, str):
        yield from _text(value, shape, path)
    elif isinstance(value, int) and value > shape.metadata.get("max", value):
        yield f"{path}: {value} is above the maximum {shape.metadata['max']}"


def _text(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _too_long(value, shape, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path}: {value!r} is none of {', '.join(sorted(allowed))}"
    rule = shape.metadata.get("pattern", "")
    pattern = _pattern(rule)
    if pattern is not None and pattern.fullmatch(value) is None:
        yield f"{path}: {value!r} does not match {rule}"


def _too_long(value: Any, shape: Shape, path: str) -> Iterator[str]:
    limit = shape.metadata.get("max")
    if limit is not None and len(value) > limit:
        yield f"{path}: length {len(value)} of {value!r} is above the maximum {limit}"


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of the models, which is Java's; None if Python cannot read it."""
    try:
        return re.compile(text, re.DOTALL) if text else None
    except re.error:
        return None
