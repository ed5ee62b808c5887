"""OpenID Connect tokens of the CI systems, and which roles trust them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import jwt

from settings.catalogue import BuiltService
from settings.problems import UserError

GITHUB = "token.actions.githubusercontent.com"
GITHUB_AUDIENCE = "sts.amazonaws.com"
JOB_USER = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
"""The user who began a job at CircleCI."""

Claims = dict[str, str]


class NotTrustedError(UserError):
    """A role's trust policy does not allow these claims."""

    def __init__(self, role: str, claims: Claims) -> None:
        super().__init__(f"{role} does not trust {claims}")


def github(service: BuiltService) -> Claims:
    """The claims of GitHub's token for a push to the service's branch."""
    ids = service.github_ids
    owner, _, name = service.source.partition("/")
    repository = f"{owner}@{ids.owner}/{name}@{ids.repository}" if ids else service.source
    return {
        "iss": f"https://{GITHUB}",
        "aud": GITHUB_AUDIENCE,
        "sub": f"repo:{repository}:ref:refs/heads/{service.branch}",
    }


def circleci(organization: str, service: BuiltService) -> Claims:
    """The claims of CircleCI's token for a push to the service's branch."""
    return {
        "iss": f"https://oidc.circleci.com/org/{organization}",
        "aud": organization,
        "sub": f"org/{organization}/project/{service.circleci_project}/user/{JOB_USER}"
        f"/vcs-origin/github.com/{service.source}/vcs-ref/refs/heads/{service.branch}",
    }


def token(claims: Claims) -> str:
    """The claims as a token; moto does not check its signature."""
    return jwt.encode(claims, "the lab stands in for the issuer's key", algorithm="HS256")


def require_trust(iam: Any, role_arn: str, claims: Claims) -> None:
    """Check the claims by the role's trust policy, as STS does. Raises NotTrustedError.

    `iam` is a boto3 client. It knows StringEquals and StringLike, which are all that is used.
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
    raise ValueError(f"a trust policy uses {operator}, which the lab does not evaluate")
