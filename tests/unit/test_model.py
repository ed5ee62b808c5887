"""The pieces that configuration models are made of."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Tag, TypeAdapter, ValidationError

from settings.model import DnsLabel, HasKey, Matching, Model, ShortFor, different, tag


class Probe(Model):
    path: str
    wait_seconds: int = 1


class Built(Model):
    source: str


class Foreign(Model):
    image: str


def words(refused: pytest.ExceptionInfo[ValidationError]) -> str:
    (error,) = refused.value.errors()
    return error["msg"]


def test_a_key_without_a_value_is_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        Probe.model_validate({"path": None})
    assert words(refused) == (
        "Value error, is empty; give it a value, with its keys indented below it, or remove it"
    )


def test_a_text_has_to_match_as_a_whole() -> None:
    digits: TypeAdapter[str] = TypeAdapter(Annotated[str, Matching("[0-9]+", "must be digits")])
    assert digits.validate_python("12") == "12"
    with pytest.raises(ValidationError) as refused:
        digits.validate_python("12a")
    assert words(refused) == "Value error, must be digits"
    assert digits.json_schema() == {
        "pattern": "^([0-9]+)$",
        "patternErrorMessage": "must be digits",
        "type": "string",
    }


def test_a_short_form_is_the_value_of_one_key() -> None:
    probe: TypeAdapter[Probe] = TypeAdapter(Annotated[Probe, ShortFor("path", DnsLabel)])
    assert probe.validate_python("/ready") == Probe.model_validate({"path": "/ready"})
    assert probe.validate_python({"path": "/", "waitSeconds": 2}).wait_seconds == 2
    short, long = probe.json_schema()["anyOf"]
    assert (short["type"], long["$ref"]) == ("string", "#/$defs/Probe")


def test_a_key_says_which_of_two_models_is_meant() -> None:
    choice = HasKey(key="image", with_it=Foreign, without=Built)
    either: TypeAdapter[Any] = TypeAdapter(
        Annotated[Annotated[Foreign, Tag(tag(Foreign))] | Annotated[Built, Tag(tag(Built))], choice]
    )
    assert either.validate_python({"image": "nginx"}) == Foreign(image="nginx")
    assert either.validate_python({"source": "acme/api"}) == Built(source="acme/api")


def test_the_first_item_that_is_named_twice_is_told() -> None:
    names: TypeAdapter[list[str]] = TypeAdapter(Annotated[list[str], different])
    assert names.validate_python(["a", "b"]) == ["a", "b"]
    with pytest.raises(ValidationError) as refused:
        names.validate_python(["a", "b", "b", "a"])
    assert words(refused) == "Value error, names a twice; name each one once"
