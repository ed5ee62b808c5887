"""Tags of what is in a cluster; moto has those of clusters and node groups."""

from __future__ import annotations

from collections.abc import Callable

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import ADDON, ENTRY, IDENTITY

ARNS = {ENTRY: "accessEntryArn", ADDON: "addonArn", IDENTITY: "associationArn"}


def _found(request: ApiRequest) -> tuple[str, str, dict[str, str]] | None:
    """Kind, key and tags of the resource that the call names, if a stand-in has it."""
    for kind, member in ARNS.items():
        for key, body in request.store.all(kind).items():
            if body[member] == request.given["resourceArn"]:
                return kind, key, body.get("tags", {})
    return None


def _changed(request: ApiRequest, change: Callable[[dict[str, str]], dict[str, str]]) -> Body:
    found = _found(request)
    if found is None:
        return request.moto()
    kind, key, tags = found
    request.store.merge(kind, key, {"tags": change(tags)})
    return {}


def _tag(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, TagResource."""
    return _changed(request, lambda tags: {**tags, **request.given["tags"]})


def _untag(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UntagResource."""
    gone = request.given["tagKeys"]
    return _changed(request, lambda tags: {key: tags[key] for key in tags if key not in gone})


def _list(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, ListTagsForResource."""
    found = _found(request)
    return request.moto() if found is None else {"tags": found[2]}


STAND_INS: StandIns = {
    ("eks", "TagResource"): _tag,
    ("eks", "UntagResource"): _untag,
    ("eks", "ListTagsForResource"): _list,
}
