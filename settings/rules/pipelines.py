"""Rules about the pipelines of services: what they build for, and what runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import HOTFIXES, Catalogue
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.machines import PLATFORMS
from settings.problems import Problem

_TAKEN = frozenset(
    {"AWS_REGION", "DIGEST", "MOVING_TAG", "REGISTRY_HOST", "RELEASE_FILE", "REPOSITORY", "VERSION"}
)


def architectures(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """Node groups on which an image would not start: of a processor that it is not built for."""
    groups = [
        (environment, name, found)
        for environment in environments
        for name, found in environment.config.cluster.architectures.items()
    ]
    used = sorted({PLATFORMS[found] for _, _, found in groups})
    for namespace, name, service in catalogue.built():
        platforms = service.build.platforms
        if platforms and (missing := [p for p in used if p not in platforms]):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.services.{name}.build.platforms",
                ", ".join(platforms),
                f"lacks {', '.join(missing)}, which nodes of the stack files have",
                "add it, or remove build.platforms, which then follow from the node groups",
            )
    for_one = any(not service.build.platforms for _, _, service in catalogue.built())
    for environment, name, found in groups[1:] if for_one else ():
        first, first_name, wanted = groups[0]
        if found != wanted:
            yield environment.problem(
                "cluster.pools" if environment.config.cluster.auto else "cluster.nodeGroups",
                name,
                f"has {found} nodes, while {first_name} of {first.file} has {wanted} "
                "ones: a pipeline builds an image for one processor, and it would not start here",
                "take one processor for all nodes of every environment, taint these, or set "
                "build.platforms of every service to both",
            )


def one_configuration(catalogue: Catalogue) -> Iterator[Problem]:
    """CircleCI reads one file of a repository."""
    built: dict[str, str] = {}
    for namespace, name, service in catalogue.built():
        if service.ci != "circleci":
            continue
        if other := built.get(service.source):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.services.{name}.source",
                service.source,
                f"is the source of {other} too, and CircleCI reads one pipeline of a repository",
                "build one of the two with ci: github-actions, or move it to its own repository",
            )
        built.setdefault(service.source, name)


def building(catalogue: Catalogue) -> Iterator[Problem]:
    for namespace, name, service in catalogue.built():
        path, build = f"namespaces.{namespace}.services.{name}.build", service.build
        if build.watch and not build.path:
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.watch",
                ", ".join(build.watch),
                "says what else builds the service, and every push does",
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


def hotfix_branch(catalogue: Catalogue) -> Iterator[Problem]:
    for namespace, name, service in catalogue.built():
        if service.hotfix and service.branch.startswith(HOTFIXES):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.services.{name}.branch",
                service.branch,
                "is itself a branch of hotfixes, which do not reach the fast environment",
                "name the branch that is built for it, or remove hotfix",
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
