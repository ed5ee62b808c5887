"""Rules about access to a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.problems import Problem


def of_teams(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    for team in sorted(environment.config.cluster.access.teams.keys() - catalogue.teams.keys()):
        yield environment.problem(
            f"cluster.access.teams.{team}",
            "",
            "is no team of services.yaml",
            f"name one of {', '.join(sorted(catalogue.teams))}",
        )


def of_the_program(environment: Environment) -> Iterator[Problem]:
    role, access = environment.aws.role, environment.config.cluster.access
    if role and role not in access.platform:
        yield environment.problem(
            "cluster.access.platform",
            "",
            f"lacks {role}, the role of aws:assumeRoles with which this program itself enters",
            "add it to the list",
        )


def reachable(environment: Environment) -> Iterator[Problem]:
    """A new cluster is filled from outside its network; in an existing one that may be inside."""
    config = environment.config
    if config.network.existing or config.cluster.existing:
        return
    if not config.cluster.public_access and not config.cluster.private_access:
        yield environment.problem(
            "cluster.publicAccess",
            "",
            "and privateAccess are empty, so nobody reaches the new cluster and `pulumi up` fails "
            "after it is made",
            "name the public address from which Pulumi runs, or a connected network",
        )


def of_pipelines(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """A pipeline pushes images; what runs is for Argo CD and people to decide."""
    for owner in (e for e in environments if e.name == e.config.registry.owner):
        pipelines = {
            owner.aws_account.role_arn(owner.names.ci_role(name))
            for _, name, _ in catalogue.built()
        }
        for environment in environments:
            access = environment.config.cluster.access
            principals = {*access.platform, *access.read_only, *chain(*access.teams.values())}
            for role in sorted(pipelines & principals):
                yield environment.problem(
                    "cluster.access",
                    role,
                    "is a pipeline's role, and no pipeline enters a cluster",
                    "remove it",
                )
