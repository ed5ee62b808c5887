"""Rules between the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settings.catalogue import BuiltService, Catalogue, Service
from settings.files import CATALOGUE_FILE
from settings.packages import Package
from settings.problems import Problem

RESERVED_NAMESPACES = frozenset({"argocd", "default", "external-secrets", "keel"})
RESERVED_VARIABLES = frozenset({"ENVIRONMENT", "LOG_LEVEL", "PORT"})
"""Environment variables that every service gets from the platform."""


def check(catalogue: Catalogue) -> Iterator[Problem]:
    """What the models cannot see by themselves, in the catalogue."""
    yield from _reserved_namespaces(catalogue)
    yield from _named_twice(catalogue)
    for place, what in _owned(catalogue):
        yield from _unknown_owner(place, what.owner, catalogue)
    for namespace, name, service in catalogue.entries():
        path = f"namespaces.{namespace}.services.{name}"
        yield from reserved_variables(path, service.env)
        if isinstance(service, BuiltService):
            yield from _missing_ids(path, service, catalogue)


def _reserved_namespaces(catalogue: Catalogue) -> Iterator[Problem]:
    for namespace in sorted(catalogue.namespaces):
        if namespace in RESERVED_NAMESPACES or namespace.startswith("kube-"):
            yield Problem(
                CATALOGUE_FILE,
                f"namespaces.{namespace}",
                namespace,
                "is a namespace of the cluster or of the platform itself",
                "give the services a namespace of their own",
            )


def _owned(catalogue: Catalogue) -> Iterator[tuple[str, Service | Package]]:
    """Services and then packages, each with its place in the file."""
    for namespace, name, service in catalogue.entries():
        yield f"namespaces.{namespace}.services.{name}", service
    for namespace, name, package in catalogue.packages():
        yield f"namespaces.{namespace}.packages.{name}", package


def _named_twice(catalogue: Catalogue) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for place, _ in _owned(catalogue):
        _, namespace, kind, name = place.split(".")
        what = kind.removesuffix("s")
        if name in first:
            yield Problem(
                CATALOGUE_FILE,
                place,
                "",
                f"the {what} {name} is named twice, also in {first[name]}",
                "give one of them another name: releases are made by name",
            )
        first.setdefault(name, namespace)


def _unknown_owner(path: str, owner: str, catalogue: Catalogue) -> Iterator[Problem]:
    if owner not in catalogue.teams:
        yield Problem(
            CATALOGUE_FILE,
            f"{path}.owner",
            owner,
            "is no team",
            f"name one of {', '.join(sorted(catalogue.teams))}, or add it to teams",
        )


def reserved_variables(path: str, env: Mapping[str, str]) -> Iterator[Problem]:
    """Variables that the platform sets, in the `env` of what is described at `path`."""
    for variable in sorted(RESERVED_VARIABLES & env.keys()):
        yield Problem(
            CATALOGUE_FILE,
            f"{path}.env.{variable}",
            env[variable],
            "is set by the platform",
            "remove it: PORT follows the service's port, the others the environment",
        )


def _missing_ids(path: str, service: BuiltService, catalogue: Catalogue) -> Iterator[Problem]:
    if service.ci == "circleci" and not (catalogue.circleci and service.circleci_project):
        yield Problem(
            CATALOGUE_FILE,
            path,
            "",
            "ci: circleci needs circleci.organization and the service's circleciProject",
            "add both ids: they are what the registry's role trusts",
        )
