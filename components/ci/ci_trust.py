"""Which pipelines may assume a service's role: trust policies for both CI systems.

IAM compares two claims of an OpenID Connect token: `aud`, the audience, and `sub`, the subject.
Both CI systems put repository and branch into `sub`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from components import policies
from settings.catalogue import HOTFIXES, BuiltService, Catalogue, Ci

GITHUB_ISSUER = "token.actions.githubusercontent.com"
GITHUB_AUDIENCE = "sts.amazonaws.com"
"""What the official action for AWS credentials asks for."""
ANY_UUID = "????????-????-????-????-????????????"
"""A pattern of IAM: `?` is one character."""


def circleci_issuer(organization: UUID) -> str:
    """The issuer of an organization's tokens, without https://."""
    return f"oidc.circleci.com/org/{organization}"


def new_issuers(catalogue: Catalogue, existing: Collection[Ci]) -> dict[Ci, str]:
    """The URLs of the providers that the account does not have yet, by CI system."""
    hosts: dict[Ci, str] = {"github-actions": GITHUB_ISSUER}
    if catalogue.circleci:
        hosts["circleci"] = circleci_issuer(catalogue.circleci.organization)
    used = {service.ci for _, _, service in catalogue.built()} - {*existing}
    return {system: f"https://{hosts[system]}" for system in sorted(used)}


def github(provider_arn: str, service: BuiltService) -> str:
    """Trust in workflows of one repository on one branch, and on hotfixes where it has them.

    With `githubIds`, exactly the subject that carries them, which GitHub gives to repositories
    created or renamed since 2026-07-15; without, exactly the older one of names. Never both:
    a name that is given up can be taken by another account. Jobs with `environment:` carry
    that in place of the branch and are not trusted.
    """
    begins = f"repo:{github_repository(service)}:ref:refs/heads/"
    audience = {f"{GITHUB_ISSUER}:aud": GITHUB_AUDIENCE}
    subject = {f"{GITHUB_ISSUER}:sub": _subject(begins, service)}
    return _trust(
        provider_arn,
        {"StringEquals": audience, "StringLike": subject}
        if service.hotfix
        else {"StringEquals": audience | subject},
    )


def _subject(begins: str, service: BuiltService) -> str | list[str]:
    """With the branches that are built, as patterns of IAM: Git has neither * nor ? in a name."""
    usual = f"{begins}{service.branch}"
    return [usual, f"{begins}{HOTFIXES}*"] if service.hotfix else usual


def github_repository(service: BuiltService) -> str:
    """The repository as GitHub writes it into a subject."""
    ids = service.github_ids
    if not ids:
        return service.source
    owner, _, repository = service.source.partition("/")
    return f"{owner}@{ids.owner}/{repository}@{ids.repository}"


def circleci(provider_arn: str, organization: UUID, service: BuiltService) -> str:
    """Trust in jobs of one project that build one branch of its repository, by any user.

    The subject is that of CIRCLE_OIDC_TOKEN_V2, which ends in where the change came from;
    CIRCLE_OIDC_TOKEN does not say the branch and is not trusted. The user who began the job is
    any UUID and nothing longer: a `*` would match a branch that has another subject in its name.
    """
    issuer = circleci_issuer(organization)
    begins = (
        f"org/{organization}/project/{service.circleci_project}/user/{ANY_UUID}"
        f"/vcs-origin/github.com/{service.source}/vcs-ref/refs/heads/"
    )
    return _trust(
        provider_arn,
        {
            "StringEquals": {f"{issuer}:aud": str(organization)},
            "StringLike": {f"{issuer}:sub": _subject(begins, service)},
        },
    )


def _trust(provider_arn: str, condition: dict[str, Any]) -> str:
    return policies.document(
        {
            "Sid": "AssumeByPipeline",
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Condition": condition,
        }
    )
