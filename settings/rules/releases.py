"""Rules about releases to safe environments: how they are made, and who reviews them."""

from __future__ import annotations

from collections.abc import Iterator

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.git_url import parse_git_url
from settings.problems import Problem

_WITHOUT_PULL_REQUESTS = ("gitlab.com", "bitbucket.org")
"""Hosts of Git whose pull requests the release scripts do not speak."""


def only_where_safe(environment: Environment) -> Iterator[Problem]:
    """Keys about promotions, in an environment to which nothing is promoted."""
    if not environment.speed.automated_sync:
        return
    gitops, registry = environment.config.gitops, environment.config.registry
    about_promotions = {
        "gitops.releases": gitops.releases if gitops.releases == "pull-request" else None,
        "registry.refuse": registry.refuse,
    }
    for path, value in about_promotions.items():
        if value:
            yield environment.problem(
                path,
                value,
                f"is about promotions, and none goes to an environment whose speed is "
                f"{environment.speed.name}",
                "set it where speed is safe",
            )


def by_pull_request(environment: Environment) -> Iterator[Problem]:
    gitops = environment.config.gitops
    host = parse_git_url(gitops.url).host.partition(":")[0]
    if gitops.releases == "pull-request" and host in _WITHOUT_PULL_REQUESTS:
        yield environment.problem(
            "gitops.releases",
            gitops.releases,
            f"needs GitHub, Gitea or Forgejo, and gitops.url leads to {host}",
            "release by push, or move the repository",
        )


def review_on_bitbucket(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    """Bitbucket's CODEOWNERS names its groups otherwise, and nobody has tried it."""
    url = environment.config.gitops.url
    if catalogue.code_owners and parse_git_url(url).host == "bitbucket.org":
        yield environment.problem(
            "gitops.url",
            url,
            "leads to Bitbucket, for which no CODEOWNERS is generated",
            "remove codeOwners from services.yaml, and write .bitbucket/CODEOWNERS",
        )


def reviewers(catalogue: Catalogue) -> Iterator[Problem]:
    for name, team in sorted(catalogue.teams.items()):
        if team.github and not catalogue.code_owners:
            yield Problem(
                CATALOGUE_FILE,
                f"teams.{name}.github",
                team.github,
                "is for CODEOWNERS, which is generated only where the releasers have a team too",
                "add codeOwners, the releasers' team there, or remove this key",
            )
