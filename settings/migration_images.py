"""The images of migrations, which are the platform's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MIGRATION_IMAGES: Mapping[str, str] = MappingProxyType(
    {
        "gate": "public.ecr.aws/docker/library/python:3.13.7-alpine3.22",
        "tools": "public.ecr.aws/docker/library/busybox:1.37.0-musl",
    }
)
"""Python for the gate; a static `true`, which runs in every image and so shows its digest."""
