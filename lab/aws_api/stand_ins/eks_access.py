"""Access entries of clusters, and the access policies bound to them."""

from __future__ import annotations

from lab.aws_api.answers import Refusal
from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    ENTRY,
    POLICY,
    arn_of,
    cluster_of,
    key_of,
    missing,
    page,
    stored,
    taken,
    unique,
    without,
)

_ENTRY_KEY = ("clusterName", "principalArn")
AUTO_NODE = ":cluster-access-policy/AmazonEKSAutoNodePolicy"
"""The one policy of an entry of type EC2, by which nodes of Auto Mode join: EKS User Guide,
"Create a node class"."""


def _create(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, CreateAccessEntry."""
    given, key = request.given, key_of(request.given, *_ENTRY_KEY)
    mode = cluster_of(request, given["clusterName"])["accessConfig"]["authenticationMode"]
    if mode == "CONFIG_MAP":
        raise Refusal(
            "InvalidRequestException",
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP]",
        )
    if request.store.get(ENTRY, key):
        raise taken(f"The access entry {key}")
    entry = {
        "kubernetesGroups": [],
        "type": "STANDARD",
        "username": _user_name(given["principalArn"]),
        "tags": {},
        **without(given),
        "accessEntryArn": _arn(request, given["clusterName"], given["principalArn"]),
        "createdAt": request.now,
        "modifiedAt": request.now,
    }
    return {"accessEntry": request.store.put(ENTRY, key, entry)}


def _arn(request: ApiRequest, cluster: str, principal: str) -> str:
    """Cluster, kind, account and name of the principal, and a part that makes it unique."""
    account, resource = principal.split(":", 5)[4:]
    kind, *path = resource.split("/")
    return arn_of(
        request, "access-entry", cluster, kind, account, path[-1] if path else "", unique()
    )


def _user_name(principal: str) -> str:
    """EKS's own for entries that name none: a session of the role, or the user."""
    _, partition, _, _, account, resource = principal.split(":", 5)
    if not resource.startswith("role/"):
        return principal
    role = resource.rpartition("/")[2]
    return f"arn:{partition}:sts::{account}:assumed-role/{role}/{{{{SessionName}}}}"


def _describe(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribeAccessEntry."""
    return {"accessEntry": stored(request, ENTRY, key_of(request.given, *_ENTRY_KEY))}


def _list(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, ListAccessEntries."""
    cluster, wanted = request.given["clusterName"], request.given.get("associatedPolicyArn")
    cluster_of(request, cluster)
    found = (body["principalArn"] for body in request.store.all(ENTRY, f"{cluster}/").values())
    if wanted:
        found = (one for one in found if request.store.get(POLICY, f"{cluster}/{one}/{wanted}"))
    return page(request, "accessEntries", found)


def _update(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdateAccessEntry."""
    key = key_of(request.given, *_ENTRY_KEY)
    stored(request, ENTRY, key)
    changes = {**without(request.given), "modifiedAt": request.now}
    return {"accessEntry": request.store.merge(ENTRY, key, changes)}


def _delete(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DeleteAccessEntry."""
    key = key_of(request.given, *_ENTRY_KEY)
    stored(request, ENTRY, key)
    request.store.drop(ENTRY, key)
    for bound in request.store.all(POLICY, f"{key}/"):
        request.store.drop(POLICY, bound)
    return {}


def _associate(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, AssociateAccessPolicy."""
    given = request.given
    entry = stored(request, ENTRY, key_of(given, *_ENTRY_KEY))
    auto_node = entry["type"] == "EC2" and given["policyArn"].endswith(AUTO_NODE)
    if entry["type"] != "STANDARD" and not auto_node:
        raise Refusal(
            "InvalidRequestException",
            f"An access entry of type {entry['type']} takes no access policy",
        )
    key = key_of(given, *_ENTRY_KEY, "policyArn")
    before = request.store.get(POLICY, key) or {"associatedAt": request.now}
    bound = {
        **before,
        "policyArn": given["policyArn"],
        "accessScope": {"namespaces": [], **given["accessScope"]},
        "modifiedAt": request.now,
    }
    return {**_of(given), "associatedAccessPolicy": request.store.put(POLICY, key, bound)}


def _associated(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, ListAssociatedAccessPolicies."""
    key = key_of(request.given, *_ENTRY_KEY)
    stored(request, ENTRY, key)
    found = request.store.all(POLICY, f"{key}/").values()
    return {**_of(request.given), **page(request, "associatedAccessPolicies", found)}


def _of(given: Body) -> Body:
    return {name: given[name] for name in _ENTRY_KEY}


def _disassociate(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DisassociateAccessPolicy."""
    key = key_of(request.given, *_ENTRY_KEY, "policyArn")
    if request.store.drop(POLICY, key) is None:
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
