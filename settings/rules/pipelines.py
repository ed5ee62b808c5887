"""Rules about the pipelines of services: what they build for, and what runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.problems import Problem

_TAKEN = frozenset(
    {"AWS_REGION", "DIGEST", "MOVING_TAG", "REGISTRY_HOST", "RELEASE_FILE", "REPOSITORY", "VERSION"}
)


def one_architecture(environments: Sequence[Environment]) -> Iterator[Problem]:
    groups = [
        (environment, name, found)
        for environment in environments
        for name, found in environment.config.cluster.architectures.items()
    ]
    for environment, name, found in groups[1:]:
        first, first_name, wanted = groups[0]
        if found != wanted:
            yield environment.problem(
                "cluster.pools" if environment.config.cluster.auto else "cluster.nodeGroups",
                name,
                f"has {found} nodes, while {first_name} of {first.file} has {wanted} "
                "ones: a pipeline builds an image for one processor, and it would not start here",
                "take one processor for all nodes of every environment, or taint these",
            )


def one_configuration(catalogue: Catalogue) -> Iterator[Problem]:
    """CircleCI reads one file of a repository."""
    homes: dict[str, str] = {}
    for namespace, name, service in catalogue.built():
        if service.ci != "circleci":
            continue
        if other := homes.get(service.source):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.services.{name}.source",
                service.source,
                f"is the source of {other} too, and CircleCI reads one pipeline of a repository",
                "build one of the two with ci: github-actions, or move it to its own repository",
            )
        homes.setdefault(service.source, name)


def building(catalogue: Catalogue) -> Iterator[Problem]:
    for namespace, name, service in catalogue.built():
        path, build = f"namespaces.{namespace}.services.{name}.build", service.build
        if build.watch and (service.ci == "circleci" or not build.path):
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.watch",
                ", ".join(build.watch),
                "says what else builds the service, and every push does: only GitHub Actions looks "
                "at paths, and only where build.path is set",
                "remove it, or add build.path",
            )
        for secret in sorted({*build.secrets} & _TAKEN):
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.secrets",
                secret,
                "is a variable of the pipeline itself",
                "give the secret another name in the CI system",
            )


def verification(catalogue: Catalogue) -> Iterator[Problem]:
    for namespace, name, service in catalogue.built():
        if service.verify and service.verify.job and service.ci == "circleci":
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.services.{name}.verify.job",
                service.verify.job,
                "is a workflow that GitHub Actions calls, and the service is built by CircleCI",
                "write verify.command in its place",
            )
