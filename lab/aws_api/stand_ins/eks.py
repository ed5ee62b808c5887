"""What the stand-ins for EKS share: where things are stored, and how EKS names and refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from lab.aws_api.answers import Refusal
from lab.aws_api.api_request import ApiRequest
from lab.aws_api.calls import Body

CLUSTER, NODE_GROUP, UPDATE = "eks/Cluster", "eks/NodeGroup", "eks/Update"
ENTRY, POLICY = "eks/AccessEntry", "eks/AccessPolicyAssociation"
ADDON, IDENTITY = "eks/Addon", "eks/PodIdentityAssociation"
PAGE = 100
"""Entries of one page when a call does not say how many."""


def key_of(parameters: Mapping[str, Any], *names: str) -> str:
    return "/".join(str(parameters[name]) for name in names)


def arn_of(request: ApiRequest, *parts: str) -> str:
    """`arn:aws:eks:REGION:ACCOUNT:PART/PART`, as the service authorization reference lists them."""
    return f"arn:aws:eks:{request.region}:{request.account}:{'/'.join(parts)}"


def unique() -> str:
    """A UUID from moto's random generator, so that a replay gives the same."""
    return str(mock_random.uuid4())


def missing(what: str) -> Refusal:
    return Refusal("ResourceNotFoundException", f"{what} does not exist")


def taken(what: str) -> Refusal:
    return Refusal("ResourceInUseException", f"{what} already exists")


def cluster_of(request: ApiRequest, name: str) -> Body:
    """The cluster; raises Refusal when there is none."""
    cluster: Body = request.ask("eks", "DescribeCluster", name=name)["cluster"]
    return cluster


def stored(request: ApiRequest, kind: str, key: str) -> Body:
    """A body; raises Refusal when there is none."""
    body = request.store.get(kind, key)
    if body is None:
        raise missing(f"{kind.partition('/')[2]} {key}")
    return body


def update_started(request: ApiRequest, cluster: str, kind: str, **concerns: str) -> Body:
    """The answer of an operation that takes EKS minutes: here the next request finds it done.

    Follows the data type Update. `concerns` names the node group or the add-on.
    """
    update = {
        "id": unique(),
        "status": "Successful",
        "type": kind,
        "params": [],
        "createdAt": request.now,
        "errors": [],
    }
    key = "/".join((cluster, *concerns.values(), str(update["id"])))
    request.store.put(UPDATE, key, {**update})
    return {"update": {**update, "status": "InProgress"}}


def page(request: ApiRequest, member: str, found: Iterable[Any]) -> Body:
    """One page of a list, by `maxResults` and `nextToken`."""
    everything = list(found)
    start = int(request.given.get("nextToken") or 0)
    end = start + int(request.given.get("maxResults") or PAGE)
    following = {"nextToken": str(end)} if end < len(everything) else {}
    return {member: everything[start:end], **following}


def merged(before: Any, change: Any) -> Any:
    both = isinstance(before, dict) and isinstance(change, dict)
    return {**before, **change} if both else change


def without(given: Body, *names: str) -> Body:
    """The parameters that describe the resource, without `names`."""
    return {key: value for key, value in given.items() if key not in (*names, "clientRequestToken")}
