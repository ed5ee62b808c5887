"""Raw mappings into models; every pydantic complaint becomes a `Problem` with a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settings.model import EMPTY, Model, tag
from settings.problems import MISSING, Problem

M = TypeVar("M", bound=Model)


_WORDS = {
    "string_type": "must be text; put it in quotes",
    "list_type": "must be a list; write [one, two], or one entry a line behind a hyphen",
    "dict_type": "must be a mapping; indent its keys below it",
    "model_type": "must be a mapping; indent its keys below it",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "ip_v4_network": "must be a range of IPv4 addresses such as 10.10.0.0/16",
    "too_short": "must name {min_length} at least; add what is missing",
    "too_long": "must name {max_length} at most; remove what is too much",
    "string_too_short": "must not be empty",
}
"""Messages of pydantic in the words of YAML."""
SETTLED_BY_SPEED = frozenset(
    {"sync", "syncPolicy", "automated", "autoSync", "automatedSync", "selfHeal", "prune"}
)
"""Keys that do not exist, because `speed` decides them."""


def raw_value(config: Mapping[str, Any], path: str) -> object:
    """The value at `platform:section.key` of a configuration that is not parsed; None if absent."""
    value: object = config
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def parse(
    model: type[M], raw: Mapping[str, Any], file: str, problems: list[Problem], prefix: str = ""
) -> M | None:
    """`raw` as a `model`; on faults every one of them is added to `problems`, and None returned."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems.extend(_problem(model, detail, file, prefix) for detail in error.errors())
        return None


def _problem(model: type[Model], detail: ErrorDetails, file: str, prefix: str) -> Problem:
    location = detail["loc"]
    path = prefix + _path(location)
    if detail["type"] == "extra_forbidden":
        return Problem(file, path, "", "is not a key known here", _nearest(model, location))
    if detail["type"] == "missing":
        return Problem(file, path, "", MISSING, "add it: see docs/reference.md")
    given = detail["input"]
    value = "" if given is None or isinstance(given, dict | Model) else _first_line(str(given))
    rule, _, remedy = _in_words(detail).partition("; ")
    return Problem(file, path, value, rule, remedy or "correct the value")


def _first_line(text: str) -> str:
    """What a report shows of a value: of several lines the first."""
    first, *rest = text.splitlines() or [""]
    return f"{first} …" if rest else first


def _in_words(detail: ErrorDetails) -> str:
    """The rule that was broken and, behind a semicolon, the remedy if there is a special one."""
    if detail["input"] is None:
        text = detail["type"] == "string_type"
        return 'is empty; write "" for an empty text, or remove it' if text else EMPTY
    if words := _WORDS.get(detail["type"]):
        return words.format(**detail.get("ctx", {}))
    message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return message[:1].lower() + message[1:]


def _path(location: tuple[int | str, ...]) -> str:
    """`('nodeGroups', 0, 'minSize')` as `nodeGroups[0].minSize`."""
    text = ""
    for step in location:
        if step == "[key]" or _is_tag(step):
            continue
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _nearest(model: type[Model], location: tuple[int | str, ...]) -> str:
    """A remedy for an unknown key."""
    if location[-1] in SETTLED_BY_SPEED:
        return (
            "remove it; how an environment syncs follows from platform:speed alone: fast syncs by "
            "itself, safe waits for a person"
        )
    known = sorted(_known_keys(model, location[:-1]))
    close = get_close_matches(str(location[-1]), known)
    if close:
        return f"did you mean {close[0]}?"
    return f"remove it; known keys: {', '.join(known)}"


def _known_keys(model: type[Model], location: tuple[int | str, ...]) -> Iterator[str]:
    """The keys that the model at `location` below `model` knows."""
    found = [model]
    for step in location:
        if _is_tag(step):
            found = [each for each in found if tag(each) == step]
            continue
        field = next((f for f in found[0].model_fields.values() if f.alias == step), None)
        if field is None:
            continue  # the name of an entry
        found = [*_models_in(field.annotation)]
        if not found:
            return
    for name, field in found[0].model_fields.items():
        yield field.alias or name


def _is_tag(step: int | str) -> bool:
    return isinstance(step, str) and step.startswith("<")


def _models_in(annotation: object) -> Iterator[type[Model]]:
    """The models mentioned in a type such as `dict[str, Service]` or `Keel | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
