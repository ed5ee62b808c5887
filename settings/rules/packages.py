"""Rules about packages: their names, and where they live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.packages import Package
from settings.problems import Problem
from settings.rules.services import RELEASE, unknown_environments


def check(catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen in the catalogue alone."""
    for namespace, name, package in catalogue.packages():
        path = f"namespaces.{namespace}.packages.{name}"
        yield from _long_name(path, name)
        yield from _overridden(path, package)


def in_environments(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen only where every environment is known."""
    for namespace, name, package in catalogue.packages():
        path = f"namespaces.{namespace}.packages.{name}"
        yield from unknown_environments(path, package, environments)
        yield from _tried_nowhere(path, package, environments)


def _long_name(path: str, name: str) -> Iterator[Problem]:
    if len(name) > RELEASE:
        yield Problem(
            CATALOGUE_FILE,
            path,
            name,
            f"has {len(name)} characters, and a Helm release {RELEASE} at most",
            "shorten it",
        )


def _overridden(path: str, package: Package) -> Iterator[Problem]:
    for environment in sorted(package.overrides):
        if not package.lives_in(environment):
            yield Problem(
                CATALOGUE_FILE,
                f"{path}.overrides.{environment}",
                environment,
                "is none of the environments in which the package lives",
                "add it to environments, or remove the override",
            )


def _tried_nowhere(
    path: str, package: Package, environments: Sequence[Environment]
) -> Iterator[Problem]:
    fast = next((e.name for e in environments if e.speed.moving_tag), None)
    if fast and not package.lives_in(fast):
        yield Problem(
            CATALOGUE_FILE,
            f"{path}.environments",
            ", ".join(package.environments or ()),
            f"leaves out {fast}, from which every version of a package is promoted",
            f"add {fast}",
        )
