"""Pod identity associations: which role the pods of a service account get."""

from __future__ import annotations

from moto.moto_api._internal import mock_random

from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    IDENTITY,
    arn_of,
    cluster_of,
    kept,
    key_of,
    page,
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


def associate(asked: Asked, wanted: Body) -> Body:
    """A new association; an add-on makes its own with `ownerArn`.

    Raises Refusal when the service account has one.
    """
    cluster = wanted["clusterName"]
    account = key_of(wanted, "namespace", "serviceAccount")
    for other in asked.shelves.all(IDENTITY, f"{cluster}/").values():
        if key_of(other, "namespace", "serviceAccount") == account:
            raise taken(f"An association of {account} in {cluster}")
    identifier = f"a-{mock_random.get_random_hex(17)}"
    association = {
        "disableSessionTags": False,
        "tags": {},
        **wanted,
        "associationId": identifier,
        "associationArn": arn_of(asked, "podidentityassociation", cluster, identifier),
        "createdAt": asked.now,
        "modifiedAt": asked.now,
    }
    return asked.shelves.put(IDENTITY, f"{cluster}/{identifier}", association)


def owned(asked: Asked, cluster: str, addon_arn: str) -> dict[str, Body]:
    """The associations that an add-on owns, by key."""
    found = asked.shelves.all(IDENTITY, f"{cluster}/")
    return {key: body for key, body in found.items() if body.get("ownerArn") == addon_arn}


def _create(asked: Asked) -> Body:
    """Amazon EKS API Reference, CreatePodIdentityAssociation."""
    cluster_of(asked, asked.given["clusterName"])
    return {"association": associate(asked, without(asked.given))}


def _describe(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribePodIdentityAssociation."""
    return {"association": kept(asked, IDENTITY, key_of(asked.given, *_KEY))}


def _list(asked: Asked) -> Body:
    """Amazon EKS API Reference, ListPodIdentityAssociations."""
    given = asked.given
    cluster_of(asked, given["clusterName"])
    wanted = {name: given[name] for name in ("namespace", "serviceAccount") if given.get(name)}
    bodies = asked.shelves.all(IDENTITY, f"{given['clusterName']}/").values()
    found = (
        {name: body[name] for name in _SUMMARY if name in body}
        for body in bodies
        if wanted.items() <= body.items()
    )
    return page(asked, "associations", found)


def _update(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdatePodIdentityAssociation."""
    key = key_of(asked.given, *_KEY)
    kept(asked, IDENTITY, key)
    changes = {**without(asked.given), "modifiedAt": asked.now}
    return {"association": asked.shelves.merge(IDENTITY, key, changes)}


def _delete(asked: Asked) -> Body:
    """Amazon EKS API Reference, DeletePodIdentityAssociation."""
    key = key_of(asked.given, *_KEY)
    association = kept(asked, IDENTITY, key)
    asked.shelves.drop(IDENTITY, key)
    return {"association": association}


STAND_INS: StandIns = {
    ("eks", "CreatePodIdentityAssociation"): _create,
    ("eks", "DescribePodIdentityAssociation"): _describe,
    ("eks", "ListPodIdentityAssociations"): _list,
    ("eks", "UpdatePodIdentityAssociation"): _update,
    ("eks", "DeletePodIdentityAssociation"): _delete,
}
