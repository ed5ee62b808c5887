"""Rules about delivering: windows, pipelines, and who reviews a release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from settings import sync_windows
from settings.catalogue import CATALOGUE_FILE, Catalogue
from settings.environment import Environment
from settings.machines import Architecture, architecture
from settings.problems import Problem

_WITHOUT_PULL_REQUESTS = ("gitlab.com", "bitbucket.org")
"""Hosts of Git whose pull requests the release scripts do not speak."""


def of_one(environment: Environment) -> Iterator[Problem]:
    """What one environment says about its releases and its windows."""
    yield from _windows(environment)
    yield from _releases(environment)


def of_all(environments: Sequence[Environment]) -> Iterator[Problem]:
    """What can be seen only where every environment is known."""
    yield from _one_architecture(environments)


def of_catalogue(catalogue: Catalogue) -> Iterator[Problem]:
    """What the services say about their pipelines and their reviewers."""
    yield from _one_configuration(catalogue)
    yield from _verification(catalogue)
    yield from _reviewers(catalogue)


def _windows(environment: Environment) -> Iterator[Problem]:
    windows = environment.config.argocd.sync_windows
    for number, why in sync_windows.without_effect(windows):
        window = windows[number]
        yield environment.problem(
            f"argocd.syncWindows[{number}]",
            f"{window.kind} {window.schedule} for {window.duration}",
            f"{why}, so it changes nothing",
            "remove it, or correct it or the others",
        )


def _releases(environment: Environment) -> Iterator[Problem]:
    gitops, registry = environment.config.gitops, environment.config.registry
    by_request = gitops.releases == "pull-request"
    fast = environment.speed.automated_sync
    if by_request and fast:
        yield environment.problem(
            "gitops.releases",
            gitops.releases,
            f"is about promotions, and none goes to an environment whose speed is "
            f"{environment.speed.name}",
            "set it where speed is safe",
        )
    if registry.refuse and fast:
        yield environment.problem(
            "registry.refuse",
            registry.refuse,
            f"is about promotions, and none goes to an environment whose speed is "
            f"{environment.speed.name}",
            "set it where speed is safe",
        )
    host = _host(gitops.url)
    if by_request and host in _WITHOUT_PULL_REQUESTS:
        yield environment.problem(
            "gitops.releases",
            gitops.releases,
            f"needs GitHub, Gitea or Forgejo, and gitops.url leads to {host}",
            "release by push, or move the repository",
        )


def _host(url: str) -> str:
    if "://" in url:
        return urlsplit(url).hostname or ""
    return url.partition("@")[2].partition(":")[0]


def architectures(environment: Environment) -> dict[str, Architecture]:
    """By node group, the processor of the nodes that take pods of any service."""
    return {
        group.name: architecture(group.instance_types[0])
        for group in environment.config.cluster.node_groups
        if not any(taint.effect != "PREFER_NO_SCHEDULE" for taint in group.taints)
    }


def _one_architecture(environments: Sequence[Environment]) -> Iterator[Problem]:
    groups = [
        (environment, name, found)
        for environment in environments
        for name, found in architectures(environment).items()
    ]
    for environment, name, found in groups[1:]:
        first, first_name, wanted = groups[0]
        if found != wanted:
            yield environment.problem(
                "cluster.nodeGroups",
                name,
                f"has {found} nodes, while {first_name} of Pulumi.{first.name}.yaml has {wanted} "
                "ones: a pipeline builds an image for one processor, and it would not start here",
                "take one processor for every node group of every environment, or taint this one",
            )


def _one_configuration(catalogue: Catalogue) -> Iterator[Problem]:
    """CircleCI reads one file of a repository."""
    homes: dict[str, str] = {}
    for namespace, name, service in catalogue.entries():
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


def _verification(catalogue: Catalogue) -> Iterator[Problem]:
    for namespace, name, service in catalogue.entries():
        if service.verify and service.verify.job and service.ci == "circleci":
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}.services.{name}.verify.job",
                service.verify.job,
                "is a workflow that GitHub Actions calls, and the service is built by CircleCI",
                "write verify.command in its place",
            )


def _reviewers(catalogue: Catalogue) -> Iterator[Problem]:
    for name, team in sorted(catalogue.teams.items()):
        if team.github and not catalogue.code_owners:
            yield Problem(
                CATALOGUE_FILE,
                f"teams.{name}.github",
                team.github,
                "is for CODEOWNERS, which is generated only where the releasers have a team too",
                "add codeOwners, the releasers' team on GitHub, or remove this key",
            )
