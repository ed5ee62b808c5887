"""Rules about the rights of services in AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.limits import ROLE_POLICY_CHARACTERS
from settings.problems import Problem
from settings.rights import Rights

_BESIDE = 400
"""The characters of a role's policy beside the statements of the catalogue."""
_LARGEST = ROLE_POLICY_CHARACTERS - _BESIDE


def check(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen only where every environment is known."""
    for environment in environments:
        living = catalogue.of(environment.name)
        given = [
            (namespace, name, service, rights)
            for namespace, name, service in living.entries()
            if (rights := service.rights(environment.name))
        ]
        yield from _without_boundary(environment, [name for _, name, _, _ in given])
        for namespace, name, service, rights in given:
            path = f"namespaces.{namespace}.services.{name}"
            override = service.overrides.get(environment.name)
            where = f"{path}.overrides.{environment.name}" if override and override.aws else path
            yield from _of_elsewhere(f"{where}.aws", rights, environment)
            yield from _too_long(f"{where}.aws", rights)


def _without_boundary(environment: Environment, services: Sequence[str]) -> Iterator[Problem]:
    if services and not environment.config.permissions_boundary:
        yield environment.problem(
            "permissionsBoundary",
            "",
            f"is missing, and {', '.join(services)} have rights in AWS (aws), which a boundary has "
            "to limit",
            "add the ARN of a policy that allows at most what services may do: docs/iam/README.md",
        )


def _of_elsewhere(path: str, rights: Rights, environment: Environment) -> Iterator[Problem]:
    account = environment.aws_account
    for number, policy in enumerate(rights.policies):
        _, partition, _, _, owner, _ = policy.split(":")
        if partition != account.partition or owner not in ("aws", account.id):
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.policies[{number}]",
                policy,
                f"is no policy of the account of {environment.name}, {account.id} in "
                f"{account.partition}",
                "name a policy of that account or of AWS, or write it below "
                "overrides.<environment>.aws",
            )


def _too_long(path: str, rights: Rights) -> Iterator[Problem]:
    if rights.characters > _LARGEST:
        yield Problem(
            CATALOGUE_FILE,
            f"{path}.statements",
            f"{rights.characters} characters",
            f"are more than a role's own policy holds beside the platform's statement, {_LARGEST}",
            "make a managed policy of them, and name it in policies",
        )
