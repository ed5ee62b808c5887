"""The state of every service in every environment, as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One service in one environment."""

    service: str
    environment: str
    version: str
    sync: str
    health: str


HEADER = Row("SERVICE", "ENVIRONMENT", "VERSION", "SYNC", "HEALTH")


def row(environment: str, application: dict[str, Any]) -> Row:
    """The row of an Application as the API returns it."""
    status = application.get("status", {})
    images = status.get("summary", {}).get("images") or []
    return Row(
        service=f"{application['spec']['project']}/{application['metadata']['name']}",
        environment=environment,
        version=", ".join(sorted(version(image) for image in images)) or "-",
        sync=status.get("sync", {}).get("status", "Unknown"),
        health=status.get("health", {}).get("status", "Unknown"),
    )


def version(image: str) -> str:
    """`host:5000/ns/name:v1@sha256:…` as `v1`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2] or "latest"


def render(rows: Sequence[Row]) -> str:
    """The rows in columns, sorted by service and environment."""
    lines = [HEADER, *sorted(rows, key=lambda r: (r.service, r.environment))]
    cells = [tuple(vars(line).values()) for line in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
