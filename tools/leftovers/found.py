"""One object in AWS that carries an environment's tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Found:
    """What AWS says of one object.

    type: Pulumi's type, or the service's own word where the program makes none of the kind.
    id: as `pulumi import` takes it.
    identities: the ids and ARNs by which a state may know it.
    name: its own name, or its tag `Name`; empty where it has neither.
    delete: the command of the AWS CLI that removes it.
    """

    type: str
    id: str
    identities: frozenset[str]
    name: str
    tags: Mapping[str, str]
    delete: str


def as_tags(listed: object) -> dict[str, str]:
    """Tags as AWS's services write them: a mapping, or a list of keys and values."""
    if isinstance(listed, Mapping):
        return {str(key): str(value) for key, value in listed.items()}
    tags: dict[str, str] = {}
    for tag in listed if isinstance(listed, list) else []:
        lower = {key.lower().removeprefix("tag"): value for key, value in tag.items()}
        tags[lower["key"]] = lower["value"]
    return tags
