"""Limits as AWS publishes them: the shapes of botocore's service models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape

from tools.limits.members import TYPES, Call

LIMITING = ("min", "max", "pattern", "enum")
Row = dict[str, Any]
Table = dict[str, dict[str, list[Row]]]
"""By type and by path of an input, everything that limits it."""


class UnknownMemberError(Exception):
    """members.py names a member that the operation does not have."""

    def __init__(self, type_: str, call: Call, member: str) -> None:
        super().__init__(
            f"tools/limits/members.py: {type_}: {call.service} {call.operation} has no member "
            f"{member}; correct the line"
        )


def rows() -> Table:
    """The limits of every input of members.TYPES."""
    return {type_: dict(_of_type(type_, calls)) for type_, calls in TYPES.items()}


def _of_type(type_: str, calls: tuple[Call, ...]) -> Iterator[tuple[str, list[Row]]]:
    for call in calls:
        for name, member in call.members().items():
            if member:
                shape = _shape(type_, call, member)
                source = f"{call.service} {call.operation}"
                for path, limits in _walk(shape, name, frozenset()):
                    yield path, [{**limits, "source": source}]


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _shape(type_: str, call: Call, path: str) -> Shape:
    """The shape at a path such as `logging.clusterLogging[].types`; first letters of any case."""
    shape = _model(call.service).operation_model(call.operation).input_shape
    for step in path.split("."):
        name = step.removesuffix("[]")
        members = {key.lower(): member for key, member in shape.members.items()}
        if name.lower() not in members:
            raise UnknownMemberError(type_, call, path)
        shape = members[name.lower()]
        if step.endswith("[]"):
            shape = shape.member
    return shape


def _walk(shape: Any, path: str, above: frozenset[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every limit in `shape`, by path: `taints[].key`, `tags{key}`."""
    limits = {key: shape.metadata[key] for key in LIMITING if key in shape.metadata}
    if limits and shape.type_name == "list" and not _is_tags(shape):
        limits["of"] = "list"
    if limits:
        yield path, limits
    if shape.type_name == "structure" and shape.name not in above:
        for name, member in shape.members.items():
            step = name[:1].lower() + name[1:]
            yield from _walk(member, f"{path}.{step}", above | {shape.name})
    if shape.type_name == "map":
        yield from _walk(shape.key, f"{path}{{key}}", above)
        yield from _walk(shape.value, f"{path}{{value}}", above)
    if shape.type_name == "list" and _is_tags(shape):
        for part, member in zip(("key", "value"), shape.member.members.values(), strict=True):
            yield from _walk(member, f"{path}{{{part}}}", above)
    elif shape.type_name == "list":
        yield from _walk(shape.member, f"{path}[]", above)


def _is_tags(shape: Any) -> bool:
    """A list of keys and values, which Pulumi writes as a map."""
    return shape.member.type_name == "structure" and {
        name.lower().removeprefix("tag") for name in shape.member.members
    } == {"key", "value"}
