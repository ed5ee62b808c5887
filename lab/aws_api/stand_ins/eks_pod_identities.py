"""Pod identity associations: which role the pods of a service account get."""

from __future__ import annotations

from moto.moto_api._internal import mock_random

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    IDENTITY,
    arn_of,
    cluster_of,
    key_of,
    page,
    stored,
    taken,
    without,
)

_KEY = ("clusterName", "associationId")
_SUMMARY = (
    "clusterName",
    "namespace",
    "serviceAccount",
    "associationArn",
    "associationId",
    "ownerArn",
)


def associate(request: ApiRequest, wanted: Body) -> Body:
    """A new association; an add-on makes its own with `ownerArn`.

    Raises Refusal when the service account has one.
    """
    cluster = wanted["clusterName"]
    account = key_of(wanted, "namespace", "serviceAccount")
    for other in request.store.all(IDENTITY, f"{cluster}/").values():
        if key_of(other, "namespace", "serviceAccount") == account:
            raise taken(f"An association of {account} in {cluster}")
    identifier = f"a-{mock_random.get_random_hex(17)}"
    association = {
        "disableSessionTags": False,
        "tags": {},
        **wanted,
        "associationId": identifier,
        "associationArn": arn_of(request, "podidentityassociation", cluster, identifier),
        "createdAt": request.now,
        "modifiedAt": request.now,
    }
    return request.store.put(IDENTITY, f"{cluster}/{identifier}", association)


def owned(request: ApiRequest, cluster: str, addon_arn: str) -> dict[str, Body]:
    """The associations that an add-on owns, by key."""
    found = request.store.all(IDENTITY, f"{cluster}/")
    return {key: body for key, body in found.items() if body.get("ownerArn") == addon_arn}


def _create(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, CreatePodIdentityAssociation."""
    cluster_of(request, request.given["clusterName"])
    return {"association": associate(request, without(request.given))}


def _describe(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribePodIdentityAssociation."""
    return {"association": stored(request, IDENTITY, key_of(request.given, *_KEY))}


def _list(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, ListPodIdentityAssociations."""
    given = request.given
    cluster_of(request, given["clusterName"])
    wanted = {name: given[name] for name in ("namespace", "serviceAccount") if given.get(name)}
    bodies = request.store.all(IDENTITY, f"{given['clusterName']}/").values()
    found = (
        {name: body[name] for name in _SUMMARY if name in body}
        for body in bodies
        if wanted.items() <= body.items()
    )
    return page(request, "associations", found)


def _update(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdatePodIdentityAssociation."""
    key = key_of(request.given, *_KEY)
    stored(request, IDENTITY, key)
    changes = {**without(request.given), "modifiedAt": request.now}
    return {"association": request.store.merge(IDENTITY, key, changes)}


def _delete(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DeletePodIdentityAssociation."""
    key = key_of(request.given, *_KEY)
    association = stored(request, IDENTITY, key)
    request.store.drop(IDENTITY, key)
    return {"association": association}


STAND_INS: StandIns = {
    ("eks", "CreatePodIdentityAssociation"): _create,
    ("eks", "DescribePodIdentityAssociation"): _describe,
    ("eks", "ListPodIdentityAssociations"): _list,
    ("eks", "UpdatePodIdentityAssociation"): _update,
    ("eks", "DeletePodIdentityAssociation"): _delete,
}
