"""The table of `make status`: which version of each service runs, and which one Git declares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops.version import version_file
from lab import images
from lab.argocd_api import ArgoCdApi
from lab.gitops_checkout import git
from lab.site import CHECKOUT, Site
from settings.catalogue import BuiltService, Service
from settings.loading import load_files
from settings.patterns import VERSION_PATTERN

OBSERVER = "rhea"
"""Releasers see everything."""
NOTHING = "-"
_TAG = re.compile(r"^\s*(?:newTag|tag): \"?([\w.-]+)\"?$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One service in one environment: what runs in the cluster, and what Git declares."""

    service: str
    environment: str
    runs: str
    in_git: str
    sync: str
    health: str


HEADER = Row("SERVICE", "ENVIRONMENT", "RUNS", "IN GIT", "SYNC", "HEALTH")


def rows(site: Site) -> list[Row]:
    """A row for every Application of every environment, sorted by service."""
    git(site.gitops_checkout, "fetch", "--quiet", "origin")
    found = [row for environment in site.environments for row in _rows(site, environment)]
    return sorted(found, key=lambda row: (row.service, row.environment))


def render(table: Sequence[Row]) -> str:
    """The rows in columns."""
    lines = [tuple(vars(row).values()) for row in (HEADER, *table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _rows(site: Site, environment: str) -> list[Row]:
    applications = ArgoCdApi.signed_in(site, environment, OBSERVER).applications()
    return [
        _row(site, environment, f"{namespace}/{name}", service, applications[name])
        for namespace, name, service in load_files(environment, CHECKOUT).living.entries()
        if name in applications
    ]


def _row(
    site: Site, environment: str, place: str, service: Service, application: dict[str, Any]
) -> Row:
    status = application.get("status", {})
    running = status.get("summary", {}).get("images") or []
    return Row(
        service=place,
        environment=environment,
        runs=_version(site, place, service, tag_of(_own(running, place))) if running else NOTHING,
        in_git=_version(site, place, service, _in_git(site, environment, place, service)),
        sync=status.get("sync", {}).get("status", "Unknown"),
        health=status.get("health", {}).get("status", "Unknown"),
    )


def _own(images: list[str], place: str) -> str:
    """The service's own image among those of its pods."""
    return next((image for image in images if f"/{place}:" in image), images[0])


def tag_of(image: str) -> str:
    """`host:5000/ns/name:v1@sha256:…` as `v1`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2] or "latest"


def _in_git(site: Site, environment: str, place: str, service: Service) -> str:
    file, _ = version_file(service.packaging, "")
    path = f"environments/{environment}/{place}/version/{file}"
    tag = _TAG.search(git(site.gitops_checkout, "show", f"origin/main:{path}"))
    return tag[1] if tag else NOTHING


def _version(site: Site, place: str, service: Service, tag: str) -> str:
    """A moving tag with the version that it points at; a version as it is."""
    built = isinstance(service, BuiltService)
    if not built or tag == NOTHING or re.fullmatch(VERSION_PATTERN, tag):
        return tag
    digest = images.digest_of(site.registry_host, place, tag)
    versions = [
        version
        for version in images.tags(site.registry_host, place)
        if re.fullmatch(VERSION_PATTERN, version)
        and images.digest_of(site.registry_host, place, version) == digest
    ]
    return f"{tag} = {versions[-1]}" if versions else tag
