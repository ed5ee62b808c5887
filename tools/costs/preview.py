"""The resources of an environment in the output of `pulumi preview --json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings.problems import UserError


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as it will be."""

    type: str
    name: str
    inputs: Mapping[str, Any]


class NoPreviewError(UserError):
    """A file has no preview in it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: is no preview ({reason}); "
            f"write one with `pulumi preview --json --show-sames > {path}`"
        )


def read(path: Path) -> tuple[str, list[Resource]]:
    """The stack's name and its AWS resources. Raises NoPreviewError."""
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
        stack = str(steps[0]["urn"]).split(":")[2]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise NoPreviewError(path, f"{type(error).__name__}: {error}") from None
    return stack, list(_resources(steps))


def _resources(steps: Iterable[Mapping[str, Any]]) -> Iterable[Resource]:
    """Those that are there afterwards, each once: a replacement has several steps."""
    found = {}
    for step in steps:
        state = step.get("newState")
        if state and not step["op"].startswith("delete") and state["type"].startswith("aws:"):
            name = step["urn"].rpartition("::")[2]
            found[state["type"], name] = state.get("inputs", {})
    for (type_, name), inputs in sorted(found.items(), key=lambda item: item[0]):
        yield Resource(type=type_, name=name, inputs=inputs)
