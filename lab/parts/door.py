"""The clusters' door, as on EKS: a token webhook that maps AWS callers to Kubernetes groups.

The API server of environment ENV posts TokenReviews to `/ENV`. The token is decoded, the caller
asked of STS, and the groups are those of the caller's access entry for that cluster.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import requests

from lab.aws.kept import Kept
from lab.eks_token import CLUSTER_HEADER, RefusedError, Token, decode, principal, require_valid
from lab.http_server import JsonHandler, serve
from lab.part import Part
from lab.readiness import http_ok
from lab.site import CHECKOUT, Site
from settings import load_files

ENTRIES = "eks/AccessEntry"
POLICIES = "eks/AccessPolicyAssociation"
CLUSTER_ADMIN = ":cluster-access-policy/AmazonEKSClusterAdminPolicy"
SESSION_NAME = "{{SessionName}}"
"""Stands in the user name of an access entry for the name of whoever's session it is."""
Bodies = Mapping[str, Mapping[str, Any]]


def part(site: Site) -> Part:
    return Part(
        name="door",
        port=site.port("door"),
        needs=frozenset({"aws"}),
        ready=http_ok(f"{site.url('door')}/"),
        command=(sys.executable, "-m", "lab.parts.door"),
    )


def admit(caller: str, cluster: str, entries: Bodies, policies: Bodies) -> dict[str, Any]:
    """The Kubernetes user that the AWS principal `caller` is in `cluster`.

    Raises RefusedError when the cluster has no access entry for it.
    """
    own = [body for body in entries.values() if _concerns(body, caller, cluster)]
    if not own:
        raise RefusedError(f"{cluster} has no access entry for {caller}")
    groups = {group for body in own for group in body.get("kubernetesGroups") or ()}
    granted = [body for body in policies.values() if _concerns(body, caller, cluster)]
    if any(_is_administrator(body) for body in granted):
        groups.add("system:masters")
    session = caller.rpartition("/")[2]
    username = str(own[0].get("username") or caller).replace(SESSION_NAME, session)
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


def review(site: Site, cluster: str, token: str) -> dict[str, Any]:
    """The status of a TokenReview; one that is refused says why, and authenticates nobody."""
    try:
        claims = decode(token)
        require_valid(claims, datetime.now(UTC))
        caller = caller_of(site, claims, cluster)
        kept = Kept(site.kept)
        user = admit(caller, cluster, kept.all(ENTRIES), kept.all(POLICIES))
    except RefusedError as refusal:
        return {"authenticated": False, "error": f"the token lets nobody in: {refusal}"}
    return {"authenticated": True, "user": user}


def _concerns(body: Mapping[str, Any], caller: str, cluster: str) -> bool:
    return body["clusterName"] == cluster and principal(body["principalArn"]) == principal(caller)


def _is_administrator(body: Mapping[str, Any]) -> bool:
    whole_cluster = body.get("accessScope", {}).get("type") == "cluster"
    return whole_cluster and str(body["policyArn"]).endswith(CLUSTER_ADMIN)


def clusters(site: Site) -> dict[str, str]:
    """The name of each environment's cluster."""
    return {
        name: load_files(name, CHECKOUT).environment.names.cluster for name in site.environments
    }


class _Handler(JsonHandler):
    site = Site.from_environment()
    clusters: Mapping[str, str] = {}

    def do_GET(self) -> None:
        self.answer(dict(self.clusters))

    def do_POST(self) -> None:
        request = json.loads(self.body())
        cluster = self.clusters[self.path.strip("/").split("?")[0]]
        status = review(self.site, cluster, request["spec"]["token"])
        print(f"{cluster}: {status.get('user') or status.get('error')}", flush=True)
        self.answer({"apiVersion": request["apiVersion"], "kind": "TokenReview", "status": status})


def main() -> None:
    _Handler.clusters = clusters(_Handler.site)
    serve(_Handler.site.port("door"), _Handler)


if __name__ == "__main__":
    main()
