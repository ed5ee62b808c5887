"""The clusters' door, as on EKS: a token webhook that maps AWS callers to Kubernetes groups.

The API server of environment ENV posts TokenReviews to `/ENV`. The token is decoded, the caller
asked of STS, and the groups are those of the caller's access entry, which EKS is asked for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeAlias

import requests
from botocore.exceptions import ClientError

from lab.aws_account import Account
from lab.eks_token import CLUSTER_HEADER, RefusedError, Token, decode, principal, require_valid
from lab.http_server import JsonHandler, serve
from lab.part import Part
from lab.readiness import http_ok
from lab.site import CHECKOUT, Site
from settings import load_files

CLUSTER_ADMIN = ":cluster-access-policy/AmazonEKSClusterAdminPolicy"
SESSION_NAME = "{{SessionName}}"
"""Stands in the user name of an access entry for the name of whoever's session it is."""
Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Door:
    """One cluster's door: the cluster's name, and where EKS keeps its access entries."""

    cluster: str
    account: str
    region: str


def part(site: Site) -> Part:
    return Part(
        name="door",
        port=site.port("door"),
        needs=frozenset({"aws"}),
        ready=http_ok(f"{site.url('door')}/"),
        command=(sys.executable, "-m", "lab.daemons.door"),
    )


def entry_of(eks: Any, caller: str, cluster: str) -> tuple[Body, list[Body]]:
    """The access entry of the AWS principal `caller` in `cluster`, and the policies bound to it.

    Raises RefusedError when EKS knows no cluster or no entry.
    """
    try:
        pages = eks.get_paginator("list_access_entries").paginate(clusterName=cluster)
        entries = [arn for page in pages for arn in page["accessEntries"]]
        for arn in entries:
            if principal(arn) == principal(caller):
                named = {"clusterName": cluster, "principalArn": arn}
                bound = eks.list_associated_access_policies(**named)["associatedAccessPolicies"]
                return eks.describe_access_entry(**named)["accessEntry"], bound
    except ClientError as error:
        raise RefusedError(f"EKS says: {error}") from error
    raise RefusedError(f"{cluster} has no access entry for {caller}")


def admit(caller: str, entry: Body, policies: Iterable[Body]) -> dict[str, Any]:
    """The Kubernetes user that the AWS principal `caller` is by its access entry."""
    groups = set(entry.get("kubernetesGroups") or ())
    if any(_is_administrator(policy) for policy in policies):
        groups.add("system:masters")
    session = caller.rpartition("/")[2]
    username = str(entry.get("username") or caller).replace(SESSION_NAME, session)
    return {"username": username, "uid": f"aws:{principal(caller)}", "groups": sorted(groups)}


def caller_of(site: Site, token: Token, cluster: str) -> str:
    """The ARN of whoever signed the token for `cluster`, as STS tells when the call is made.

    The call goes to the lab's STS, whatever host it was signed for.
    """
    answer = requests.get(
        f"{site.url('aws')}/?{token.query}",
        headers={"Host": token.host, CLUSTER_HEADER: cluster, "Accept": "application/json"},
        timeout=5,
    )
    if answer.status_code != HTTPStatus.OK:
        raise RefusedError(f"STS says: {answer.text}")
    return str(answer.json()["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"])


def review(site: Site, door: Door, token: str) -> dict[str, Any]:
    """The status of a TokenReview; one that is refused says why, and authenticates nobody."""
    try:
        claims = decode(token)
        require_valid(claims, datetime.now(UTC))
        caller = caller_of(site, claims, door.cluster)
        eks = Account(site, door.account, door.region).client("eks")
        user = admit(caller, *entry_of(eks, caller, door.cluster))
    except RefusedError as refusal:
        return {"authenticated": False, "error": f"the token lets nobody in: {refusal}"}
    return {"authenticated": True, "user": user}


def _is_administrator(policy: Body) -> bool:
    whole_cluster = policy["accessScope"].get("type") == "cluster"
    return whole_cluster and str(policy["policyArn"]).endswith(CLUSTER_ADMIN)


def doors(site: Site) -> dict[str, Door]:
    """The door of each environment's cluster."""
    found = {}
    for name in site.environments:
        settings = load_files(name, CHECKOUT)
        where = settings.environment
        found[name] = Door(where.names.cluster, where.account, where.region)
    return found


class _Handler(JsonHandler):
    site = Site.from_environment()
    doors: Mapping[str, Door] = {}

    def do_GET(self) -> None:
        self.answer({name: door.cluster for name, door in self.doors.items()})

    def do_POST(self) -> None:
        request = json.loads(self.body())
        door = self.doors[self.path.strip("/").split("?")[0]]
        status = review(self.site, door, request["spec"]["token"])
        print(f"{door.cluster}: {status.get('user') or status.get('error')}", flush=True)
        self.answer({"apiVersion": request["apiVersion"], "kind": "TokenReview", "status": status})


def main() -> None:
    _Handler.doors = doors(_Handler.site)
    serve(_Handler.site.port("door"), _Handler)


if __name__ == "__main__":
    main()
