"""Rules about quotas that several settings share: of AWS, and of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import ceil

from settings.catalogue import MAIN, Catalogue, Service
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.keel_repositories import policy_characters, repositories
from settings.limits import ROLE_POLICY_CHARACTERS
from settings.placement import placement
from settings.problems import Problem
from settings.quantities import amount
from settings.tenancy import quota

SURGE = Decimal("0.25")
"""Of the pods of a Deployment, those that are there beside the old ones during a roll-out."""


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


def of_namespaces(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """The services of a namespace and their roll-outs have room in its quota."""
    for environment in environments:
        for namespace, group in sorted(catalogue.of(environment.name).namespaces.items()):
            given = vars(quota(environment, group))
            for what, needed in _needed(environment, group.services).items():
                if needed > amount(str(given[what])):
                    yield Problem(
                        CATALOGUE_FILE,
                        f"namespaces.{namespace}",
                        _written(needed, str(given[what])),
                        f"asks for more {what.replace('_', ' ')} on {environment.name} than its "
                        f"quota, {given[what]}, has: all its services at their most, while they "
                        "are rolled",
                        f"raise quota.{environment.name}, or give its services less",
                    )


def _needed(environment: Environment, services: Mapping[str, Service]) -> dict[str, Decimal]:
    """What all services may have at once, by what a quota counts."""
    total = dict.fromkeys(("cpu", "memory", "memory_limit", "storage", "pods"), Decimal(0))
    for service in services.values():
        for process in service.all_processes:
            placed = placement(service, process, environment.name, environment.speed)
            pods = placed.scale.max if placed.scale else placed.replicas
            pods = 1 if pods is None else pods
            own = service.storage.values() if process == MAIN else ()
            at_once = pods if own else pods + ceil(pods * SURGE)
            total["pods"] += at_once
            total["cpu"] += at_once * amount(placed.resources.cpu_request)
            total["memory"] += at_once * amount(placed.resources.memory_request)
            total["memory_limit"] += at_once * amount(placed.resources.memory_limit)
            total["storage"] += pods * sum((amount(volume.size) for volume in own), Decimal(0))
    return total


def _written(needed: Decimal, like: str) -> str:
    """`needed` in the unit of another quantity."""
    unit = like.lstrip("0123456789.")
    return f"{(needed / amount('1' + unit)).normalize():f}{unit}"


def written_for(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """What namespaces say of environments and of each other."""
    known = [environment.name for environment in environments]
    for namespace, group in sorted(catalogue.namespaces.items()):
        for stack in sorted(group.quota.keys() - set(known)):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.quota.{stack}",
                stack,
                "is no environment: there is no such Pulumi.<stack>.yaml",
                f"name one of {', '.join(known)}",
            )
        if namespace in group.callers:
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.callers",
                namespace,
                "is the namespace itself, whose pods call each other anyway",
                "remove it",
            )
