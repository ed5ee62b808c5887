"""Rules about the secrets of services: names that meet others, or each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settings.catalogue import Catalogue, Service
from settings.files import CATALOGUE_FILE
from settings.problems import Problem
from settings.rules.catalogue import RESERVED_VARIABLES
from settings.secrets import object_name


def check(catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen in the catalogue alone."""
    for namespace, name, service in catalogue.secretive():
        path = f"namespaces.{namespace}.services.{name}"
        yield from _set_elsewhere(path, service)
        yield from _alike(path, name, service)


def _set_elsewhere(path: str, service: Service) -> Iterator[Problem]:
    """Variables that have a value already, which everybody can read."""
    for variable in service.secrets.env:
        if variable in RESERVED_VARIABLES:
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.secrets",
                variable,
                "is set by the platform",
                "give the secret another name",
            )
        for place in _places(path, service, variable):
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.secrets",
                variable,
                f"is a secret, and {place} sets it for everybody who reads Git",
                f"remove it from {place}, or from secrets",
            )


def _places(path: str, service: Service, variable: str) -> Iterator[str]:
    env: Mapping[str, Mapping[str, str]] = {
        "env": service.env,
        **{f"overrides.{name}.env": one.env for name, one in sorted(service.overrides.items())},
    }
    yield from (f"{path}.{where}" for where, values in env.items() if variable in values)


def _alike(path: str, service_name: str, service: Service) -> Iterator[Problem]:
    """Names that Kubernetes, which knows no capitals and underscores, cannot tell apart."""
    first: dict[str, str] = {}
    for name in [*service.secrets.env, *service.secrets.files]:
        known = object_name(service_name, name)
        if known in first:
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.secrets",
                name,
                f"and {first[known]} would be one Secret of Kubernetes, {known}",
                "give one of them another name",
            )
        first.setdefault(known, name)
