"""Keys of a configuration that was read and not checked yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def given(config: Mapping[str, Any], path: str) -> object:
    """The value at `platform:section.key`, or None where there is none."""
    value: object = config
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
