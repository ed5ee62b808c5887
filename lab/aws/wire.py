"""Pulumi's property maps as Python values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.rpc import UNKNOWN

from lab.aws.table import Values

__all__ = ["UNKNOWN", "decoded", "encoded", "has_unknown"]


def decoded(struct: struct_pb2.Struct) -> Values:
    """A property map; whole numbers come back as int, absent values are left out."""
    values: Values = _whole(json_format.MessageToDict(struct))
    return values


def encoded(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({name: value for name, value in values.items() if value is not None})
    return struct


def has_unknown(value: Any) -> bool:
    """Whether anything inside is not known before `up`."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return bool(value == UNKNOWN)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
