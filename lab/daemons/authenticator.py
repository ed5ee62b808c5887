"""EKS's authenticator: a token webhook that maps AWS callers to Kubernetes groups.

The API server of environment ENV posts TokenReviews to `/ENV`. STS tells which caller signed the
token. The groups are those of the caller's access entry in EKS.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias

import requests
from botocore.exceptions import ClientError
from werkzeug.wrappers import Request, Response

from lab.aws_account import Account
from lab.daemon import Daemon
from lab.eks_token import CLUSTER_HEADER, RefusedError, Token, decode, principal, require_valid
from lab.http_server import as_json, serve
from lab.readiness import http_ok
from lab.site import CHECKOUT, Site
from settings.loading import load_files

CLUSTER_ADMIN = ":cluster-access-policy/AmazonEKSClusterAdminPolicy"
SESSION_NAME = "{{SessionName}}"
"""Placeholder in the user name of an access entry: the name of the caller's session."""
Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Cluster:
    """A cluster, as EKS knows it."""

    name: str
    account: str
    region: str


def daemon(site: Site) -> Daemon:
    return Daemon(
        name="authenticator",
        port=site.port("authenticator"),
        needs=frozenset({"aws"}),
        ready=http_ok(f"{site.url('authenticator')}/"),
        command=(sys.executable, "-m", "lab.daemons.authenticator"),
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
    """The Kubernetes user of the AWS principal `caller`, from its access entry."""
    groups = set(entry.get("kubernetesGroups") or ())
    if any(_is_administrator(policy) for policy in policies):
        groups.add("system:masters")
    session = caller.rpartition("/")[2]
    username = str(entry.get("username") or caller).replace(SESSION_NAME, session)
    return {"username": username, "uid": f"aws:{principal(caller)}", "groups": sorted(groups)}


def caller_of(site: Site, token: Token, cluster: str) -> str:
    """The ARN of the caller that signed the token for `cluster`, from STS.

    The call goes to the lab's STS, not to the host that it was signed for.
    """
    answer = requests.get(
        f"{site.url('aws')}/?{token.query}",
        headers={"Host": token.host, CLUSTER_HEADER: cluster, "Accept": "application/json"},
        timeout=5,
    )
    if answer.status_code != HTTPStatus.OK:
        raise RefusedError(f"STS says: {answer.text}")
    return str(answer.json()["GetCallerIdentityResponse"]["GetCallerIdentityResult"]["Arn"])


def review(site: Site, cluster: Cluster, token: str) -> dict[str, Any]:
    """The status of a TokenReview; the error says why a token is refused."""
    try:
        claims = decode(token)
        require_valid(claims, datetime.now(UTC))
        caller = caller_of(site, claims, cluster.name)
        eks = Account(site, cluster.account, cluster.region).client("eks")
        user = admit(caller, *entry_of(eks, caller, cluster.name))
    except RefusedError as refusal:
        return {"authenticated": False, "error": f"the token is refused: {refusal}"}
    return {"authenticated": True, "user": user}


def _is_administrator(policy: Body) -> bool:
    whole_cluster = policy["accessScope"].get("type") == "cluster"
    return whole_cluster and str(policy["policyArn"]).endswith(CLUSTER_ADMIN)


def clusters(site: Site) -> dict[str, Cluster]:
    """The cluster of each environment."""
    found = {}
    for name in site.environments:
        settings = load_files(name, CHECKOUT)
        where = settings.environment
        found[name] = Cluster(where.names.cluster, where.account, where.region)
    return found


def answer(site: Site, known: Mapping[str, Cluster], request: Request) -> Response:
    """Answer a TokenReview at `/ENV`; a GET lists the clusters."""
    if request.method == "GET":
        return as_json({name: cluster.name for name, cluster in known.items()})
    posted = json.loads(request.get_data())
    cluster = known[request.path.strip("/")]
    status = review(site, cluster, posted["spec"]["token"])
    print(f"{cluster.name}: {status.get('user') or status.get('error')}", flush=True)
    return as_json({"apiVersion": posted["apiVersion"], "kind": "TokenReview", "status": status})


def main() -> None:
    site = Site.from_environment()
    serve(site.port("authenticator"), partial(answer, site, clusters(site)))


if __name__ == "__main__":
    main()
