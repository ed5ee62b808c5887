"""Rules between the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from settings.catalogue import Catalogue
from settings.files import CATALOGUE_FILE
from settings.problems import Problem

RESERVED_NAMESPACES = frozenset({"argocd", "default", "keel"})
RESERVED_VARIABLES = frozenset({"ENVIRONMENT", "LOG_LEVEL", "PORT"})
"""Environment variables that every service gets from the platform."""


def check(catalogue: Catalogue) -> Iterator[Problem]:
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
    namespaces_by_service: dict[str, str] = {}
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
        if name in namespaces_by_service:
            yield Problem(
                CATALOGUE_FILE,
                path,
                "",
                f"the service {name} is named twice, also in {namespaces_by_service[name]}",
                "give one of them another name: releases are made by service name",
            )
        namespaces_by_service.setdefault(name, namespace)
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
