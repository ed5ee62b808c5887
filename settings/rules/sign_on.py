"""Rules about single sign-on: what a known provider refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.problems import Problem
from settings.sign_on import GROUPS, GithubSso, Provider, Sso, known


def check(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    """Settings with which nobody could sign in, or nobody would have a group."""
    sso = environment.config.argocd.sso
    if sso and sso.issuer and (provider := known(sso.issuer)):
        yield from _of_a_known_provider(environment, sso, provider)
    if sso and sso.github:
        yield from _by_github(environment, sso.github, catalogue)
    if sso and sso.saml and "ssoClientSecret" in environment.secrets:
        yield environment.problem(
            "ssoClientSecret",
            "",
            "is set, and sign-on by SAML has no secret",
            "run `pulumi config rm platform:ssoClientSecret`",
        )


def _of_a_known_provider(
    environment: Environment, sso: Sso, provider: Provider
) -> Iterator[Problem]:
    if provider.claim is None:
        yield environment.problem(
            "argocd.sso.issuer",
            sso.issuer,
            f"is {provider.name}, whose tokens have no groups, so nobody would have a right",
            "sign in by SAML: write saml in place of issuer",
        )
        return
    if GROUPS in sso.scopes:
        yield environment.problem(
            "argocd.sso.scopes",
            ", ".join(sso.scopes),
            f"has groups, and {provider.name} refuses to sign in with that scope",
            "write scopes: [openid, profile, email]",
        )
    if sso.groups_claim != provider.claim:
        yield environment.problem(
            "argocd.sso.groupsClaim",
            sso.groups_claim,
            f"is not the claim in which {provider.name} sends groups",
            f"write groupsClaim: {provider.claim}",
        )


def _by_github(
    environment: Environment, github: GithubSso, catalogue: Catalogue
) -> Iterator[Problem]:
    if "ssoClientSecret" not in environment.secrets:
        yield environment.problem(
            "ssoClientSecret",
            "",
            "is missing, and GitHub signs people in only for a client with a secret",
            "set it with `pulumi config set --secret platform:ssoClientSecret`",
        )
    organization = github.organization
    groups = {f"teams.{name}.group": team.group for name, team in catalogue.teams.items()}
    for place, group in {**groups, "releasers": catalogue.releasers}.items():
        if not re.fullmatch(rf"{organization}:[a-z0-9_-]+", group):
            yield Problem(
                CATALOGUE_FILE,
                place,
                group,
                f"is no team of the GitHub organization {organization}, by which people sign in",
                f"write {organization}:<team>, the team as in its page's address",
            )
