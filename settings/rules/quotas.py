"""Rules about quotas of AWS that several settings share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.keel_repositories import policy_characters, repositories
from settings.limits import ROLE_POLICY_CHARACTERS
from settings.problems import Problem


def of_keel(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """Keel's role names what it reads in one policy."""
    accounts = {environment.name: environment.aws_account for environment in environments}
    for environment in environments:
        registry = accounts.get(environment.config.registry.owner)
        if not environment.config.keel or not registry:
            continue
        named = repositories(registry, catalogue.of(environment.name))
        size = policy_characters(named)
        if size > ROLE_POLICY_CHARACTERS:
            yield environment.problem(
                "keel",
                f"{len(named)} namespaces",
                f"Keel's role would name their repositories in {size} characters, and IAM takes "
                f"{ROLE_POLICY_CHARACTERS}",
                "deliver the services of some namespaces by commit (delivery: commit)",
            )
