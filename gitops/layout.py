"""Where everything lies in the GitOps repository: every path of it is made here. Pure."""

from __future__ import annotations

SHARED_COMPONENTS = "components"
"""Kustomize components that several services use. The generator leaves the folder alone."""


def base(namespace: str, service: str) -> str:
    """What never differs of a service."""
    return f"base/{namespace}/{service}"


def overlay(environment: str, namespace: str, service: str) -> str:
    """What differs of a service in an environment, and the version that runs there."""
    return f"environments/{environment}/{namespace}/{service}"


def rendered(environment: str, namespace: str, service: str) -> str:
    """What runs of a service in an environment that applies rendered manifests."""
    return f"rendered/{environment}/{namespace}/{service}"


def pipeline(service: str) -> str:
    """The pipeline of a service's own repository, to be copied there."""
    return f"pipelines/{service}"


def part_of(path: str) -> str | None:
    """The environment that a path belongs to; None where all environments share it."""
    first, *rest = path.split("/")
    return rest[0] if first in ("environments", "rendered") and len(rest) > 1 else None
