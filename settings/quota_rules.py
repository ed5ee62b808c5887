"""Rules about what AWS counts over many settings together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment, Settings
from settings.limits import ROLE_POLICY_CHARACTERS
from settings.problems import Problem

_AROUND = 350
"""The characters of Keel's policy beside the repositories that it names."""
_BETWEEN = len('"",')


def check(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """Every rule of this file, where all environments are known."""
    for environment in environments:
        if environment.config.keel:
            told = Settings(
                environment=environment, environments=tuple(environments), catalogue=catalogue
            )
            yield from _repositories_of_keel(told)


def _repositories_of_keel(settings: Settings) -> Iterator[Problem]:
    """Keel's role names every repository that it reads, in one policy."""
    if settings.config.registry.owner not in {e.name for e in settings.environments}:
        return
    arns = [
        settings.repository_arn(namespace, name)
        for namespace, name, service in settings.catalogue.entries()
        if service.delivery == "keel"
    ]
    size = _AROUND + sum(len(arn) + _BETWEEN for arn in arns)
    if size > ROLE_POLICY_CHARACTERS:
        yield settings.environment.problem(
            "keel",
            f"{len(arns)} services",
            f"Keel's role would name their repositories in {size} characters, and IAM takes "
            f"{ROLE_POLICY_CHARACTERS}",
            "deliver some of the services by commit (delivery: commit)",
        )
