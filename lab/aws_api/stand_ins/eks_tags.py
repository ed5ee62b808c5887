"""Tags of what lives inside a cluster; those of clusters and node groups are moto's."""

from __future__ import annotations

from collections.abc import Callable

from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import ADDON, ENTRY, IDENTITY

ARNS = {ENTRY: "accessEntryArn", ADDON: "addonArn", IDENTITY: "associationArn"}


def _found(asked: Asked) -> tuple[str, str, dict[str, str]] | None:
    """Kind, key and tags of the resource that the call names, if a stand-in keeps it."""
    for kind, member in ARNS.items():
        for key, body in asked.shelves.all(kind).items():
            if body[member] == asked.given["resourceArn"]:
                return kind, key, body.get("tags", {})
    return None


def _changed(asked: Asked, change: Callable[[dict[str, str]], dict[str, str]]) -> Body:
    found = _found(asked)
    if found is None:
        return asked.moto()
    kind, key, tags = found
    asked.shelves.merge(kind, key, {"tags": change(tags)})
    return {}


def _tag(asked: Asked) -> Body:
    """Amazon EKS API Reference, TagResource."""
    return _changed(asked, lambda tags: {**tags, **asked.given["tags"]})


def _untag(asked: Asked) -> Body:
    """Amazon EKS API Reference, UntagResource."""
    gone = asked.given["tagKeys"]
    return _changed(asked, lambda tags: {key: tags[key] for key in tags if key not in gone})


def _list(asked: Asked) -> Body:
    """Amazon EKS API Reference, ListTagsForResource."""
    found = _found(asked)
    return asked.moto() if found is None else {"tags": found[2]}


STAND_INS: StandIns = {
    ("eks", "TagResource"): _tag,
    ("eks", "UntagResource"): _untag,
    ("eks", "ListTagsForResource"): _list,
}
