"""Rules that tie settings together: between keys, between files, between environments.

One module for each topic. A rule is a function that yields a Problem for each place where it is
broken; it is called below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.problems import Problem
from settings.rules import (
    access,
    agreement,
    catalogue,
    credentials,
    delivery,
    eks_releases,
    immutable,
    ingress,
    network,
    nodes,
    observability,
    packages,
    pipelines,
    quotas,
    releases,
    rights,
    secrets,
    services,
    sign_on,
    sync_windows,
)

__all__ = ["immutable", "of_all", "of_catalogue", "of_files", "of_one", "of_raw"]

of_files = agreement.check
"""What the stack files say differently and may not."""
of_raw = eks_releases.support
"""What a configuration that may not be valid says wrong beside that."""


def of_catalogue(written: Catalogue) -> Iterator[Problem]:
    """What the models cannot see by themselves, in the catalogue."""
    yield from catalogue.check(written)
    yield from services.check(written)
    yield from secrets.check(written)
    yield from packages.check(written)
    yield from pipelines.one_configuration(written)
    yield from pipelines.building(written)
    yield from pipelines.hotfix_branch(written)
    yield from pipelines.verification(written)
    yield from releases.reviewers(written)


def of_one(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    """What the models cannot see by themselves, in one environment."""
    yield from delivery.environment_name(environment)
    yield from delivery.keel(environment, catalogue)
    yield from ingress.check(environment, catalogue)
    yield from network.service_range(environment)
    yield from network.existing_cluster(environment)
    yield from nodes.stopping(environment)
    yield from access.of_teams(environment, catalogue)
    yield from access.of_the_program(environment)
    yield from access.reachable(environment)
    yield from credentials.check(environment)
    yield from sign_on.check(environment, catalogue)
    yield from sync_windows.without_effect(environment)
    yield from observability.topic(environment)
    yield from releases.only_where_safe(environment)
    yield from releases.by_pull_request(environment)
    yield from releases.review_on_bitbucket(environment, catalogue)


def of_all(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen only where every environment is known."""
    for environment in environments:
        yield from agreement.registry_owner(environment, environments)
    yield from access.of_pipelines(environments, catalogue)
    yield from delivery.one_fast_environment(environments)
    yield from network.overlapping_networks(environments)
    yield from network.shared_domains(environments)
    yield from pipelines.architectures(environments, catalogue)
    yield from services.in_environments(environments, catalogue)
    yield from rights.check(environments, catalogue)
    yield from packages.in_environments(environments, catalogue)
    yield from quotas.of_keel(environments, catalogue)
    yield from quotas.of_namespaces(environments, catalogue)
    yield from quotas.written_for(environments, catalogue)
