"""Packages in the generated repository: charts of others, as the only dependency of one of ours.

base/<namespace>/<package>/values.yaml                              values for every environment
environments/<environment>/<namespace>/<package>/values.yaml        values that differ there
environments/<environment>/<namespace>/<package>/version/Chart.yaml the chart and its version
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops import layout
from gitops.file import File, Ownership
from gitops.rendering import render
from gitops.version import version_file
from settings import kinds
from settings.environment import Settings
from settings.naming import Names
from settings.packages import Package

Context = dict[str, Any]
_Entries = Iterator[tuple[str, File]]


def described(settings: Settings) -> Iterator[Context]:
    """Every package of the catalogue, as it is in every environment."""
    for namespace, name, package in settings.catalogue.packages():
        yield {
            "namespace": namespace,
            "name": name,
            "repository": Names.repository(namespace, name),
            "base": layout.base(namespace, name),
            "owner": package.owner,
            "packaging": "chart",
            "delivery": "none",
            "environments": [e.name for e in settings.environments if package.lives_in(e.name)],
            "image": package.chart.address,
            "foreign": {"version": package.chart.version},
            "chart": package.chart,
            "values": package.values,
            "kinds": kinds.declared([*package.kinds, *package.cluster_kinds]),
            "added_kinds": sorted([*package.kinds, *package.cluster_kinds]),
        }


def placed(settings: Settings, described: Context) -> Context:
    """A package, with what differs in the settings' own environment."""
    package = settings.catalogue.namespaces[described["namespace"]].packages[described["name"]]
    return described | {
        "environment_values": _values(package, settings.stack),
        "runs": (package.chart.version, package.chart.digest) if settings.speed.moving_tag else (),
    }


def _values(package: Package, environment: str) -> Mapping[str, Any]:
    override = package.overrides.get(environment)
    return override.values if override else {}


def base(package: Context, context: Context) -> _Entries:
    """A package's values for every environment."""
    text = render("packages/base/values.yaml", context | {"package": package})
    yield f"{package['base']}/values.yaml", File(text=text, ownership=Ownership.SEEDED)


def overlay(package: Context, context: Context) -> _Entries:
    """A package's values and version file in this environment."""
    environment = context["environment"]["name"]
    folder = layout.overlay(environment, package["namespace"], package["name"])
    text = render("packages/overlay/values.yaml", context | {"package": package})
    yield f"{folder}/values.yaml", File(text=text, ownership=Ownership.SEEDED)
    name, text = version_file("chart", package["image"], *package["runs"])
    yield f"{folder}/{layout.VERSION}/{name}", File(text=text, ownership=Ownership.VERSION)
