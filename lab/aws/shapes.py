"""Values shaped after botocore's service models: requests built, checked, and answers read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

Document = dict[str, Any]


@cache
def session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def model(service: str) -> ServiceModel:
    return session().get_service_model(service)


@cache
def operation(service: str, name: str) -> OperationModel:
    """The model of an operation by its Python name. Raises KeyError when AWS has none."""
    return _operations(service)[name]


@cache
def _operations(service: str) -> dict[str, OperationModel]:
    known = model(service)
    return {xform_name(name): known.operation_model(name) for name in known.operation_names}


def request_shape(service: str, name: str) -> StructureShape | None:
    """The shape of an operation's request; None when it takes no parameters."""
    shape: StructureShape | None = operation(service, name).input_shape
    return shape


def member(shape: Shape | None, name: str) -> str | None:
    """The member of a structure as its model spells it, whatever the case of its first letter."""
    if not isinstance(shape, StructureShape):
        return None
    for spelling in (name, name[:1].upper() + name[1:], name.upper()):
        if spelling in shape.members:
            return spelling
    return None


def place(document: Document, shape: Shape | None, path: str, value: Any) -> bool:
    """Sets the value at a dotted path of a request. False when the request has no such member."""
    head, _, rest = path.partition(".")
    name = member(shape, head)
    if name is None or not isinstance(shape, StructureShape):
        return False
    inner = shape.members[name]
    if rest:
        return place(document.setdefault(name, {}), inner, rest, value)
    document[name] = shaped(value, inner)
    return True


def shaped(value: Any, shape: Shape) -> Any:
    """The SDK's value as a request wants it: names respelled, one wrapped or unwrapped as needed,
    a map of tags turned into a list of pairs, numbers and truth values read from text."""
    if value is None:
        return None
    match shape:
        case ListShape():
            return _list(value, shape)
        case StructureShape():
            return _structure(value, shape)
        case MapShape():
            return {key: shaped(item, shape.value) for key, item in value.items()}
    return _scalar(value, shape)


def _list(value: Any, shape: ListShape) -> Any:
    if isinstance(value, Mapping):
        pair = _pair(shape.member)
        if pair is None:
            return [shaped(value, shape.member)]
        key, text = pair
        return [{key: name, text: value[name]} for name in sorted(value)]
    items = value if isinstance(value, list) else [value]
    return [shaped(item, shape.member) for item in items]


def _structure(value: Any, shape: StructureShape) -> Any:
    if isinstance(value, list) and len(value) == 1:
        return _structure(value[0], shape)
    if not isinstance(value, Mapping):
        return {"Value": value} if list(shape.members) == ["Value"] else value
    result: Document = {}
    for name, item in value.items():
        spelling = member(shape, name)
        if item is not None:
            inner = shape.members[spelling] if spelling else None
            result[spelling or name] = shaped(item, inner) if inner is not None else item
    return result


def _scalar(value: Any, shape: Shape) -> Any:
    if isinstance(value, str):
        if shape.type_name == "boolean" and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", value):
            return int(value)
    if shape.type_name == "string" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _pair(shape: Shape) -> tuple[str, str] | None:
    """The names of a key and its value, when that is all that a structure holds."""
    if isinstance(shape, StructureShape):
        match sorted(shape.members):
            case [str() as key, str() as text] if key.endswith("Key") and text.endswith("Value"):
                return key, text
            case ["key", "value"]:
                return "key", "value"
    return None


def seen(value: Any) -> Any:
    """AWS's value as the SDK spells it: names begin in lower case, pairs become a map, and
    documents, which botocore decodes for IAM, are text."""
    if isinstance(value, Mapping):
        return {
            name[:1].lower() + name[1:]: json.dumps(item, sort_keys=True)
            if name.endswith("Document") and isinstance(item, Mapping)
            else seen(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return tag_map(value) if _are_pairs(value) else [seen(item) for item in value]
    return value


def tag_map(pairs: Any) -> dict[str, str]:
    """Tags as a map, whichever way the service lists them; AWS's own (`aws:`) are left out."""
    if isinstance(pairs, list):
        pairs = dict(_key_and_value(pair) for pair in pairs)
    return {key: text for key, text in (pairs or {}).items() if not key.startswith("aws:")}


def _are_pairs(value: list[Any]) -> bool:
    return bool(value) and all(
        isinstance(item, Mapping) and sorted(item) in (["Key", "Value"], ["TagKey", "TagValue"])
        for item in value
    )


def _key_and_value(pair: Mapping[str, str]) -> tuple[str, str]:
    key, text = sorted(pair, key=lambda name: not name.lower().endswith("key"))
    return pair[key], pair[text]


def problems(service: str, name: str, parameters: Mapping[str, Any]) -> list[str]:
    """What botocore's model of the operation says against the parameters."""
    shape = request_shape(service, name)
    if shape is None:
        return [f"{name} takes no parameters"] if parameters else []
    report = ParamValidator().validate(parameters, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    return found or list(_beyond_limits(parameters, shape, ""))


def _beyond_limits(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Enumerations, lengths and patterns, which botocore's own validator leaves to the service."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, item in value.items():
            if name in shape.members:
                yield from _beyond_limits(item, shape.members[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _too_long(value, shape, path)
        for index, item in enumerate(value):
            yield from _beyond_limits(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        yield from _too_long(value, shape, path)
        for key, item in value.items():
            yield from _beyond_limits(key, shape.key, f"{path} (key {key})")
            yield from _beyond_limits(item, shape.value, f"{path}.{key}")
    elif isinstance(value, str):
        yield from _text(value, shape, path)
    elif isinstance(value, int) and value > shape.metadata.get("max", value):
        yield f"{path}: {value} is above the maximum {shape.metadata['max']}"


def _text(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _too_long(value, shape, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path}: {value!r} is none of {', '.join(sorted(allowed))}"
    pattern = _pattern(shape.metadata.get("pattern", ""))
    if pattern is not None and pattern.fullmatch(value) is None:
        yield f"{path}: {value!r} does not match {shape.metadata['pattern']}"


def _too_long(value: Any, shape: Shape, path: str) -> Iterator[str]:
    limit = shape.metadata.get("max")
    if limit is not None and len(value) > limit:
        yield f"{path}: length {len(value)} is above the maximum {limit}"


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """The models' patterns are Java's; those that Python cannot read are left to the service."""
    try:
        return re.compile(text, re.DOTALL) if text else None
    except re.error:
        return None
