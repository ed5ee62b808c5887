"""Rules that tie settings together: between keys, between files, between environments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Any

from settings import credential_rules, delivery_rules, quota_rules
from settings.catalogue import CATALOGUE_FILE, Catalogue
from settings.environment import Environment
from settings.kubernetes import RELEASES, versions
from settings.naming import Names
from settings.problems import Problem
from settings.raw import given
from settings.speed import SPEEDS

_ENVIRONMENT_NAME = re.compile(
    r"(?!(shared|y|n|yes|no|on|off|true|false|null)$)[a-z]([-a-z0-9]{0,30}[a-z0-9])?"
)
RESERVED_NAMESPACES = frozenset({"argocd", "default", "keel"})
RESERVED_VARIABLES = frozenset({"ENVIRONMENT", "LOG_LEVEL", "PORT"})
"""Environment variables that every service gets from the platform."""


def of_one(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    """What the models cannot see by themselves, in one environment."""
    yield from _name(environment)
    yield from _keel(environment, catalogue)
    yield from _service_range(environment)
    yield from _teams_with_access(environment, catalogue)
    yield from _own_access(environment)
    yield from _adopted_cluster(environment)
    yield from credential_rules.check(environment, catalogue)
    yield from delivery_rules.of_one(environment)


def of_all(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen only where every environment is known."""
    for environment in environments:
        yield from _registry(environment, environments)
    yield from _pipelines_stay_out(environments, catalogue)
    yield from _one_fast_environment(environments)
    yield from _overlapping_networks(environments)
    yield from _shared_domains(environments)
    yield from delivery_rules.of_all(environments)
    yield from quota_rules.check(environments, catalogue)


def kubernetes_support(stack: str, config: Mapping[str, Any]) -> Iterator[Problem]:
    """A version that AWS replaces; of the raw `config`, to be told beside all that is wrong."""
    version = str(given(config, "platform:cluster.version"))
    release, speed = RELEASES.get(version), SPEEDS.get(str(given(config, "platform:speed")))
    if release and speed and not (release.standard or speed.extended_support):
        yield Problem(
            f"Pulumi.{stack}.yaml",
            "platform:cluster.version",
            version,
            f"left standard support on {release.standard_support_ends}, and AWS then upgrades the "
            f"cluster by itself where speed is {speed.name}",
            f"use one of {versions()}, one minor version up at a time",
        )


def _name(environment: Environment) -> Iterator[Problem]:
    if not _ENVIRONMENT_NAME.fullmatch(environment.name):
        yield Problem(
            f"Pulumi.{environment.name}.yaml",
            "",
            environment.name,
            "the stack's name is an image tag and a folder of the GitOps repository: it must be a "
            "DNS label of 32 characters at most, and neither `shared` nor a word of YAML",
            "choose another name for the stack and its file",
        )


def _keel(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    wanted = environment.config.keel
    if wanted and not environment.speed.keel:
        yield environment.problem(
            "keel",
            wanted.schedule,
            f"Keel is not allowed where speed is {environment.speed.name}: it runs builds that "
            "nobody promoted",
            "remove the key platform:keel",
        )
    served = [name for _, name, service in catalogue.entries() if service.delivery == "keel"]
    if served and not wanted and environment.speed.keel:
        yield environment.problem(
            "keel",
            "",
            f"is missing, and {', '.join(served)} rely on it (delivery: keel)",
            "add platform:keel with a schedule",
        )


def _service_range(environment: Environment) -> Iterator[Problem]:
    network, services = environment.config.network.cidr, environment.config.cluster.service_cidr
    if network and network.overlaps(services):
        yield environment.problem(
            "cluster.serviceCidr",
            services,
            f"overlaps the network's range {network}",
            "choose another private range for one of the two",
        )


def _registry(environment: Environment, environments: Sequence[Environment]) -> Iterator[Problem]:
    owner = environment.config.registry.owner
    owners = {e.config.registry.owner for e in environments}
    if owner not in {e.name for e in environments}:
        yield environment.problem(
            "registry.owner",
            owner,
            "is no stack: there is no such Pulumi.<stack>.yaml",
            f"name one of {', '.join(e.name for e in environments)}",
        )
    elif len(owners) > 1:
        yield environment.problem(
            "registry.owner",
            owner,
            f"all environments share one registry, but its owner is given as "
            f"{' and '.join(sorted(owners))}",
            "name the same owner in every stack file",
        )


def _teams_with_access(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    for team in sorted(environment.config.cluster.access.teams.keys() - catalogue.teams.keys()):
        yield environment.problem(
            f"cluster.access.teams.{team}",
            "",
            "is no team of services.yaml",
            f"name one of {', '.join(sorted(catalogue.teams))}",
        )


def _own_access(environment: Environment) -> Iterator[Problem]:
    role, access = environment.aws.role, environment.config.cluster.access
    if role and role not in access.platform:
        yield environment.problem(
            "cluster.access.platform",
            "",
            f"lacks {role}, the role of aws:assumeRoles with which this program itself enters",
            "add it to the list",
        )


def _adopted_cluster(environment: Environment) -> Iterator[Problem]:
    config = environment.config
    if config.cluster.existing and not config.network.existing:
        yield environment.problem(
            "cluster.existing",
            config.cluster.existing,
            "is a cluster in a network that exists, and platform:network would create another one",
            "give platform:network.existing the ids of the cluster's VPC and subnets",
        )


def _pipelines_stay_out(
    environments: Sequence[Environment], catalogue: Catalogue
) -> Iterator[Problem]:
    """A pipeline pushes images; what runs is for Argo CD and people to decide."""
    for owner in (e for e in environments if e.name == e.config.registry.owner):
        naming = Names(owner.config.organization, owner.name)
        pipelines = {owner.role_arn(naming.ci_role(name)) for _, name, _ in catalogue.entries()}
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


def _one_fast_environment(environments: Sequence[Environment]) -> Iterator[Problem]:
    fast = [environment for environment in environments if environment.speed.moving_tag]
    if not fast:
        yield environments[0].problem(
            "speed",
            environments[0].speed.name,
            "is the speed of every environment, and builds are delivered to a fast one",
            "make one of them fast",
        )
    for environment in fast[1:]:
        yield environment.problem(
            "speed",
            environment.speed.name,
            f"is the speed of {fast[0].name} too, and a build is delivered to one environment",
            "make one of them safe",
        )


def _overlapping_networks(environments: Sequence[Environment]) -> Iterator[Problem]:
    for one, other in combinations(environments, 2):
        ours, theirs = one.config.network.cidr, other.config.network.cidr
        if ours and theirs and ours.overlaps(theirs):
            yield other.problem(
                "network.cidr",
                theirs,
                f"overlaps {ours} of Pulumi.{one.name}.yaml",
                "give each environment a range of its own, so that they can be peered",
            )


def _shared_domains(environments: Sequence[Environment]) -> Iterator[Problem]:
    for one, other in combinations(environments, 2):
        for key, mine, theirs in (
            ("domain", one.config.domain, other.config.domain),
            ("argocd.domain", one.config.argocd_domain, other.config.argocd_domain),
        ):
            if mine == theirs:
                yield other.problem(
                    key,
                    theirs,
                    f"is that of Pulumi.{one.name}.yaml too, and a name leads to one cluster",
                    "give each environment a name of its own",
                )


def of_catalogue(catalogue: Catalogue) -> Iterator[Problem]:
    """What the models cannot see by themselves, in the catalogue."""
    for namespace in sorted(catalogue.namespaces):
        if namespace in RESERVED_NAMESPACES or namespace.startswith("kube-"):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}",
                namespace,
                "is a namespace of the cluster or of the platform itself",
                "give the services a namespace of their own",
            )
    yield from delivery_rules.of_catalogue(catalogue)
    homes: dict[str, str] = {}
    for namespace, name, service in catalogue.entries():
        path = f"namespaces.{namespace}.services.{name}"
        if service.owner not in catalogue.teams:
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.owner",
                service.owner,
                "is no team",
                f"name one of {', '.join(sorted(catalogue.teams))}, or add it to teams",
            )
        if name in homes:
            yield Problem(
                CATALOGUE_FILE,
                path,
                "",
                f"the service {name} is named twice, also in {homes[name]}",
                "give one of them another name: releases are made by service name",
            )
        homes.setdefault(name, namespace)
        for variable in sorted(RESERVED_VARIABLES & service.env.keys()):
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.env.{variable}",
                service.env[variable],
                "is set by the platform",
                "remove it: PORT follows the service's port, the others the environment",
            )
        if service.ci == "circleci" and not (catalogue.circleci and service.circleci_project):
            yield Problem(
                CATALOGUE_FILE,
                path,
                "",
                "ci: circleci needs circleci.organization and the service's circleciProject",
                "add both ids: they are what the registry's role trusts",
            )
