"""Access entries of clusters, and the access policies bound to them."""

from __future__ import annotations

from lab.aws_api.answers import Refusal
from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    ENTRY,
    POLICY,
    arn_of,
    cluster_of,
    kept,
    key_of,
    missing,
    page,
    taken,
    unique,
    without,
)

_ENTRY_KEY = ("clusterName", "principalArn")


def _create(asked: Asked) -> Body:
    """Amazon EKS API Reference, CreateAccessEntry."""
    given, key = asked.given, key_of(asked.given, *_ENTRY_KEY)
    mode = cluster_of(asked, given["clusterName"])["accessConfig"]["authenticationMode"]
    if mode == "CONFIG_MAP":
        raise Refusal(
            "InvalidRequestException",
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP]",
        )
    if asked.shelves.get(ENTRY, key):
        raise taken(f"The access entry {key}")
    entry = {
        "kubernetesGroups": [],
        "type": "STANDARD",
        "username": _user_name(given["principalArn"]),
        "tags": {},
        **without(given),
        "accessEntryArn": _arn(asked, given["clusterName"], given["principalArn"]),
        "createdAt": asked.now,
        "modifiedAt": asked.now,
    }
    return {"accessEntry": asked.shelves.put(ENTRY, key, entry)}


def _arn(asked: Asked, cluster: str, principal: str) -> str:
    """Cluster, kind, account and name of the principal, and a part that makes it unique."""
    account, resource = principal.split(":", 5)[4:]
    kind, *path = resource.split("/")
    return arn_of(asked, "access-entry", cluster, kind, account, path[-1] if path else "", unique())


def _user_name(principal: str) -> str:
    """EKS's own for entries that name none: a session of the role, or the user."""
    _, partition, _, _, account, resource = principal.split(":", 5)
    if not resource.startswith("role/"):
        return principal
    role = resource.rpartition("/")[2]
    return f"arn:{partition}:sts::{account}:assumed-role/{role}/{{{{SessionName}}}}"


def _describe(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribeAccessEntry."""
    return {"accessEntry": kept(asked, ENTRY, key_of(asked.given, *_ENTRY_KEY))}


def _list(asked: Asked) -> Body:
    """Amazon EKS API Reference, ListAccessEntries."""
    cluster, wanted = asked.given["clusterName"], asked.given.get("associatedPolicyArn")
    cluster_of(asked, cluster)
    found = (body["principalArn"] for body in asked.shelves.all(ENTRY, f"{cluster}/").values())
    if wanted:
        found = (one for one in found if asked.shelves.get(POLICY, f"{cluster}/{one}/{wanted}"))
    return page(asked, "accessEntries", found)


def _update(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdateAccessEntry."""
    key = key_of(asked.given, *_ENTRY_KEY)
    kept(asked, ENTRY, key)
    changes = {**without(asked.given), "modifiedAt": asked.now}
    return {"accessEntry": asked.shelves.merge(ENTRY, key, changes)}


def _delete(asked: Asked) -> Body:
    """Amazon EKS API Reference, DeleteAccessEntry."""
    key = key_of(asked.given, *_ENTRY_KEY)
    kept(asked, ENTRY, key)
    asked.shelves.drop(ENTRY, key)
    for bound in asked.shelves.all(POLICY, f"{key}/"):
        asked.shelves.drop(POLICY, bound)
    return {}


def _associate(asked: Asked) -> Body:
    """Amazon EKS API Reference, AssociateAccessPolicy."""
    given = asked.given
    entry = kept(asked, ENTRY, key_of(given, *_ENTRY_KEY))
    if entry["type"] != "STANDARD":
        raise Refusal(
            "InvalidRequestException",
            f"An access entry of type {entry['type']} takes no access policy",
        )
    key = key_of(given, *_ENTRY_KEY, "policyArn")
    before = asked.shelves.get(POLICY, key) or {"associatedAt": asked.now}
    bound = {
        **before,
        "policyArn": given["policyArn"],
        "accessScope": {"namespaces": [], **given["accessScope"]},
        "modifiedAt": asked.now,
    }
    return {**_of(given), "associatedAccessPolicy": asked.shelves.put(POLICY, key, bound)}


def _associated(asked: Asked) -> Body:
    """Amazon EKS API Reference, ListAssociatedAccessPolicies."""
    key = key_of(asked.given, *_ENTRY_KEY)
    kept(asked, ENTRY, key)
    found = asked.shelves.all(POLICY, f"{key}/").values()
    return {**_of(asked.given), **page(asked, "associatedAccessPolicies", found)}


def _of(given: Body) -> Body:
    return {name: given[name] for name in _ENTRY_KEY}


def _disassociate(asked: Asked) -> Body:
    """Amazon EKS API Reference, DisassociateAccessPolicy."""
    key = key_of(asked.given, *_ENTRY_KEY, "policyArn")
    if asked.shelves.drop(POLICY, key) is None:
        raise missing(f"The association {key}")
    return {}


STAND_INS: StandIns = {
    ("eks", "CreateAccessEntry"): _create,
    ("eks", "DescribeAccessEntry"): _describe,
    ("eks", "ListAccessEntries"): _list,
    ("eks", "UpdateAccessEntry"): _update,
    ("eks", "DeleteAccessEntry"): _delete,
    ("eks", "AssociateAccessPolicy"): _associate,
    ("eks", "ListAssociatedAccessPolicies"): _associated,
    ("eks", "DisassociateAccessPolicy"): _disassociate,
}
