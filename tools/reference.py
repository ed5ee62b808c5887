"""The configuration's reference and JSON Schemas, made from the models, for people and editors."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import DictSchema, NullableSchema, WithDefaultSchema

from settings.aws import AwsConfig
from settings.catalogue import Catalogue
from settings.files import CATALOGUE_FILE
from settings.secret_keys import SECRETS
from settings.speed import SPEEDS, Speed
from settings.stack import StackConfig

Schema = dict[str, Any]
Row = list[str]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/"
_WORTH_A_LINK = 3
"""Rows that two sections have in common, from which on one refers to the other."""
_SECRET = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def documents() -> dict[str, str]:
    """The generated files, by their path in the program's folder."""
    return {
        "docs/services.schema.json": _json(catalogue_schema()),
        "docs/stack.schema.json": _json(stack_schema()),
        "docs/reference.md": reference(),
    }


def catalogue_schema() -> Schema:
    """The JSON Schema of `services.yaml`."""
    models, definitions = _schemas()
    return {"$schema": _DIALECT, **models["Catalogue"], "$defs": definitions}


def stack_schema() -> Schema:
    """The JSON Schema of `Pulumi.<stack>.yaml`: our keys closed, those of others open."""
    models, definitions = _schemas()
    ours, aws = models["StackConfig"], models["AwsConfig"]
    secrets = {name: {"description": text, **_SECRET} for name, text in SECRETS.items()}
    keys = {
        **_prefixed("aws:", aws["properties"]),
        **_prefixed("platform:", ours["properties"]),
        **_prefixed("platform:", secrets),
    }
    config = {
        "type": "object",
        "properties": keys,
        "required": [
            *_prefixed("aws:", aws["required"]),
            *_prefixed("platform:", ours["required"]),
        ],
        "propertyNames": {"anyOf": [{"enum": [*keys]}, {"not": {"pattern": "^platform:"}}]},
    }
    return {
        "$schema": _DIALECT,
        "title": "Pulumi.<stack>.yaml",
        "description": "One environment; the stack's name is the environment's name.",
        "type": "object",
        "properties": {"config": config},
        "required": ["config"],
        "$defs": definitions,
    }


def reference() -> str:
    """Every key of every file, and what `speed` decides, in Markdown."""
    models, definitions = _schemas()
    parts = [
        "# Reference\n",
        "Generated from the models in `settings/`; `make golden` writes it. Editors complete and "
        "check these keys by [services.schema.json](services.schema.json) and "
        "[stack.schema.json](stack.schema.json). The program also checks rules between keys, files "
        "and environments.\n",
        "## What follows from `platform:speed`\n",
        *_speeds(),
        f"## `{CATALOGUE_FILE}`\n",
        *_sections(models["Catalogue"], definitions, ""),
        "## `Pulumi.<stack>.yaml`\n",
        *_sections(models["StackConfig"], definitions, "platform:"),
        "### Secrets\n",
        "Set with `pulumi config set --secret platform:<name>`. Each is optional unless a key "
        "needs it.\n",
        _table(("key", "what it is"), ([f"`platform:{k}`", v] for k, v in SECRETS.items())),
        *_sections(models["AwsConfig"], definitions, "aws:"),
    ]
    return "\n".join(parts)


class _Closed(GenerateJsonSchema):
    """Maps accept no other keys than those that match, and no key may be without a value."""

    def dict_schema(self, schema: DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return made | ({"additionalProperties": False} if "patternProperties" in made else {})

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if (key, value) != ("default", None)}


def _schemas() -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The three models by name, and what they refer to by name."""
    wanted = (Catalogue, StackConfig, AwsConfig)
    _, made = models_json_schema(
        [(model, "validation") for model in wanted], schema_generator=_Closed
    )
    definitions: dict[str, Schema] = made["$defs"]
    return {model.__name__: definitions.pop(model.__name__) for model in wanted}, definitions


def _prefixed(prefix: str, keys: Any) -> Any:
    if isinstance(keys, Mapping):
        return {f"{prefix}{key}": value for key, value in keys.items()}
    return [f"{prefix}{key}" for key in keys]


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _speeds() -> Iterator[str]:
    texts = _attribute_texts(Speed)
    rows = (
        [
            field.name.replace("_", " "),
            *(_said(getattr(speed, field.name)) for speed in SPEEDS.values()),
            " ".join(texts[field.name].split()),
        ]
        for field in fields(Speed)
        if field.name != "name"
    )
    yield _table(("", *SPEEDS, "what it means"), rows)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    return "<br>".join(
        f"{name.replace('_', ' ')} {amount or 'none'}" for name, amount in vars(value).items()
    )


def _attribute_texts(model: type) -> dict[str, str]:
    """The string below each attribute of a class."""
    (definition,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 what getsource gives of a class
    return {
        attribute.target.id: text.value.value
        for attribute, text in pairwise(definition.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _sections(root: Schema, definitions: Mapping[str, Schema], prefix: str) -> Iterator[str]:
    """A section for `root` and for each model below it, in the order in which they are met."""
    places: dict[str, str] = {}
    for name, path in _places(root, definitions, prefix):
        places.setdefault(name, path)
    described: dict[str, list[Row]] = {}
    for model, path in ((root, prefix), *((definitions[name], places[name]) for name in places)):
        if path:
            yield f"### `{path}`\n"
        yield f"{model['description']}\n"
        rows = [
            [
                f"`{key}`",
                _value(schema, places),
                _default(schema, required=key in model.get("required", ())),
                schema["description"].replace("<", "&lt;"),
            ]
            for key, schema in model["properties"].items()
        ]
        yield _table(("key", "value", "default", "what it is"), _once(rows, described))
        described[path] = rows


def _once(rows: list[Row], described: Mapping[str, list[Row]]) -> Iterator[Row]:
    """The rows of a section, where those that an earlier section has are one row."""
    same: list[Row] = []
    for path, earlier in described.items():
        found = [row for row in rows if row in earlier]
        if len(found) > len(same):
            same, place = found, path
    if len(same) < _WORTH_A_LINK:
        yield from rows
        return
    yield from (row for row in rows if row not in same)
    yield [", ".join(key for key, *_ in same), f"as in [`{place}`](#{anchor(place)})", "", ""]


def _places(
    model: Schema, definitions: Mapping[str, Schema], prefix: str
) -> Iterator[tuple[str, str]]:
    """Each model below `model` by its name and where it is first."""
    for key, schema in model["properties"].items():
        for name, steps in _models_in(schema):
            path = f"{prefix}{key}{steps}"
            yield name, path
            yield from _places(definitions[name], definitions, f"{path}.")


def _models_in(schema: Schema, steps: str = "") -> Iterator[tuple[str, str]]:
    """The models that a key's value is made of, and the steps that lead to them."""
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(_REFERENCE), steps
    if "if" in schema:
        (key,) = schema["if"]["required"]
        yield from _models_in(schema["else"], steps)
        yield from _models_in(schema["then"], f"{steps} with {key}")
    for choice in schema.get("anyOf", ()):
        yield from _models_in(choice, steps)
    if "items" in schema:
        yield from _models_in(schema["items"], f"{steps}[]")
    for inner in _map_values(schema):
        yield from _models_in(inner, f"{steps}.<name>")


def _map_values(schema: Schema) -> list[Schema]:
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    return [value for value in values if isinstance(value, dict)]


def _value(schema: Schema, places: Mapping[str, str]) -> str:  # noqa: PLR0911 one for each kind
    """What a value looks like, in words."""
    if "$ref" in schema:
        place = places[schema["$ref"].removeprefix(_REFERENCE)]
        return f"[`{place}`](#{anchor(place)})"
    if "if" in schema:
        return f"{_value(schema['else'], places)} or {_value(schema['then'], places)}"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        choices = [choice for choice in several if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(_value(choice, places) for choice in choices))
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    if "items" in schema:
        return f"list: {_value(schema['items'], places)}"
    if schema.get("type") == "object":
        inner = _map_values(schema)
        return f"by name: {_value(inner[0], places)}" if inner else "any keys"
    if "patternErrorMessage" in schema:
        rule: str = schema["patternErrorMessage"].removeprefix("must be ")
        return rule.partition(":")[0] if rule.startswith("a DNS label") else rule
    if schema.get("type") == "integer":
        least, most = schema.get("minimum"), schema.get("maximum")
        if least is None:
            return "number"
        return f"number, {least} to {most}" if most else f"number, {least} at least"
    formats = {"uuid": "a UUID", "ipv4network": "a range such as 10.10.0.0/16"}
    return {"boolean": "`true` or `false`"}.get(
        schema["type"], formats.get(schema.get("format", ""), "text")
    )


def _default(schema: Schema, *, required: bool) -> str:
    if required:
        return "**required**"
    default = schema.get("default")
    if isinstance(default, dict) or (not default and default is not False):
        return ""
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _table(header: tuple[str, ...], rows: Iterable[Row]) -> str:
    lines = [list(header), ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
