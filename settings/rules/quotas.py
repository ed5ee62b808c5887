"""Rules about what AWS counts over many settings together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.limits import ROLE_POLICY_CHARACTERS
from settings.naming import Names
from settings.problems import Problem

_AROUND = 350
"""The characters of Keel's policy beside the repositories that it names."""
_BETWEEN = len('"",')


def of_keel(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """Keel's role names every repository that it reads, in one policy."""
    accounts = {environment.name: environment.aws_account for environment in environments}
    for environment in environments:
        registry = accounts.get(environment.config.registry.owner)
        if environment.config.keel and registry:
            yield from _repositories(environment, registry, catalogue)


def _repositories(
    environment: Environment, registry: AwsAccount, catalogue: Catalogue
) -> Iterator[Problem]:
    arns = [
        registry.image_repository_arn(Names.repository(namespace, name))
        for namespace, name, service in catalogue.entries()
        if service.delivery == "keel"
    ]
    size = _AROUND + sum(len(arn) + _BETWEEN for arn in arns)
    if size > ROLE_POLICY_CHARACTERS:
        yield environment.problem(
            "keel",
            f"{len(arns)} services",
            f"Keel's role would name their repositories in {size} characters, and IAM takes "
            f"{ROLE_POLICY_CHARACTERS}",
            "deliver some of the services by commit (delivery: commit)",
        )
