"""The base of every configuration model: frozen, camelCase in YAML, unknown keys refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from settings.patterns import DIGEST_PATTERN

EMPTY = "is empty; give it a value, with its keys indented below it, or remove it"
"""What is said of a key without a value."""


class Model(BaseModel):
    """A section of the configuration. Keys are camelCase in YAML and snake_case in Python."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=False, extra="forbid", frozen=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def has_a_value(cls, value: Any) -> Any:
        """Refuses a bare `key:`, which could mean the default as well as none of it."""
        if value is None:
            raise ValueError(EMPTY)
        return value

    def keys_beside(self, *fields: str) -> str:
        """The other keys that are set, by their names in YAML; empty when there are none."""
        return ", ".join(sorted(to_camel(name) for name in self.model_fields_set - set(fields)))

    def written(self, *fields: str) -> list[str]:
        """Those of `fields` that are set, by the names of their keys, sorted."""
        return sorted(to_camel(name) for name in self.model_fields_set & set(fields))


@dataclass(frozen=True)
class Matching:
    """A check that the whole string matches `pattern`; `rule` says so in words."""

    pattern: str
    rule: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            **handler(schema),
            "pattern": f"^({self.pattern})$",
            "patternErrorMessage": self.rule,  # what editors say
        }

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(self.rule)
        return value


@dataclass(frozen=True)
class ShortFor:
    """A short form: a value of `type` that is no mapping means one with only `key`."""

    key: str
    type: Any

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._long, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        short = TypeAdapter(self.type).json_schema()
        return {"anyOf": [short, handler(schema)]}

    def _long(self, value: object) -> object:
        return value if isinstance(value, dict | Model) else {self.key: value}


def tag(model: type[Model]) -> str:
    """What marks `model` in the place of a complaint, where it is one of two."""
    return f"<{model.__name__}>"


@dataclass(frozen=True)
class HasKey:
    """Chooses between two models: `with_it` where a mapping has `key`, `without` otherwise."""

    key: str
    with_it: type[Model]
    without: type[Model]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        made: CoreSchema = handler(Annotated[source, Discriminator(self._chosen)])
        return made

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        without, with_it = handler(schema)["oneOf"]
        return {"if": {"required": [self.key]}, "then": with_it, "else": without}

    def _chosen(self, value: object) -> str:
        has_it = isinstance(value, self.with_it) or (isinstance(value, dict) and self.key in value)
        return tag(self.with_it if has_it else self.without)


def _different(values: list[Any]) -> list[Any]:
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"names {twice[0]} twice; name each one once")
    return values


different = AfterValidator(_different)
"""A check that no item of a list is in it twice."""

DnsLabel = Annotated[
    str,
    Matching(
        r"(?!(y|n|yes|no|on|off|true|false|null)$)[a-z]([-a-z0-9]{0,61}[a-z0-9])?",
        "must be a DNS label: lower-case letters, digits and hyphens, starting with a letter, "
        "63 characters at most, and no word that YAML reads as something else, such as on or no",
    ),
]
Digest = Annotated[
    str, Matching(DIGEST_PATTERN, "must be a digest: sha256: and 64 hexadecimal digits")
]
DomainName = Annotated[
    str,
    Matching(
        r"(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
        "must be a domain name such as dev.example.com",
    ),
]
PrincipalArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/"
        r"(?=.{1,576}$)([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}",
        "must be the ARN of an IAM role or user",
    ),
]
PolicyArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/"
        r"(?=.{1,640}$)([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,128}",
        "must be the ARN of an IAM policy",
    ),
]
GithubName = Annotated[
    str, Matching(r"[A-Za-z\d][A-Za-z\d-]*", "must be the name of a GitHub organization")
]
HttpUrl = Annotated[
    str, Matching(r"https?://\S+", "must be a URL that begins with https:// or http://")
]
Branch = Annotated[
    str,
    Matching(
        # Not what Git refuses, nor what CircleCI takes for a pattern: /main/.
        r"(?![-./])(?!.*(//|\.\.|/\.|\.lock(/|$)))[A-Za-z0-9_./-]{0,243}[A-Za-z0-9_-]",
        "must be the name of a Git branch, 244 characters at most",
    ),
]
GitTeam = Annotated[
    str,
    Matching(
        r"[A-Za-z\d][A-Za-z\d._-]*(/[A-Za-z\d][A-Za-z\d._-]*)+",
        "must be a team of the Git host written as organization/team, as in its page's address",
    ),
]
GitUrl = Annotated[
    str,
    Matching(
        r"(https?://|ssh://|git@)[\w.@:/~%+-]+",
        "must be a Git URL that begins with https://, ssh:// or git@",
    ),
]
