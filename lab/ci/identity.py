"""OpenID Connect tokens of the CI systems, and the trust that roles put in them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import jwt

from settings.catalogue import BuiltService

GITHUB = "token.actions.githubusercontent.com"
GITHUB_AUDIENCE = "sts.amazonaws.com"
SOMEBODY = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
"""Whoever began a job at CircleCI."""

Claims = dict[str, str]


class NotTrustedError(Exception):
    """A role's trust policy does not let these claims in."""

    def __init__(self, role: str, claims: Claims) -> None:
        super().__init__(f"{role} does not trust {claims}")


def github(service: BuiltService) -> Claims:
    """What GitHub says of a push to the service's branch."""
    ids = service.github_ids
    owner, _, name = service.source.partition("/")
    repository = f"{owner}@{ids.owner}/{name}@{ids.repository}" if ids else service.source
    return {
        "iss": f"https://{GITHUB}",
        "aud": GITHUB_AUDIENCE,
        "sub": f"repo:{repository}:ref:refs/heads/{service.branch}",
    }


def circleci(organization: str, service: BuiltService) -> Claims:
    """What CircleCI says of a push to the service's branch."""
    return {
        "iss": f"https://oidc.circleci.com/org/{organization}",
        "aud": organization,
        "sub": f"org/{organization}/project/{service.circleci_project}/user/{SOMEBODY}"
        f"/vcs-origin/github.com/{service.source}/vcs-ref/refs/heads/{service.branch}",
    }


def token(claims: Claims) -> str:
    """The claims as a token; moto reads it without asking for the signature's key."""
    return jwt.encode(claims, "the lab stands in for the issuer's key", algorithm="HS256")


def require_trust(iam: Any, role_arn: str, claims: Claims) -> None:
    """Asks the role's trust policy, as STS would; raises NotTrustedError.

    `iam` is a boto3 client. StringEquals and StringLike are all that such policies use.
    """
    role = role_arn.rpartition("/")[2]
    document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    if not any(_allows(statement, claims) for statement in document["Statement"]):
        raise NotTrustedError(role_arn, claims)


def _allows(statement: dict[str, Any], claims: Claims) -> bool:
    issuer = claims["iss"].removeprefix("https://")
    if not statement["Principal"].get("Federated", "").endswith(f":oidc-provider/{issuer}"):
        return False
    return all(
        _matches(operator, claims.get(key.removeprefix(f"{issuer}:"), ""), wanted)
        for operator, conditions in statement["Condition"].items()
        for key, wanted in conditions.items()
    )


def _matches(operator: str, value: str, wanted: str | list[str]) -> bool:
    patterns = [wanted] if isinstance(wanted, str) else wanted
    match operator:
        case "StringEquals":
            return value in patterns
        case "StringLike":
            return any(fnmatchcase(value, pattern) for pattern in patterns)
    raise ValueError(f"a trust policy uses {operator}, which is not played here")
