"""What the supervisor knows of a part: how it starts, when it is ready, whom it waits for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.readiness import Condition
from lab.site import HOST


def title(name: str, environment: str | None = None) -> str:
    """`registry`, or `dev/etcd` for a part of an environment's cluster."""
    return f"{environment}/{name}" if environment else name


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process of the lab.

    Attributes:
        name: the part's name, also of its log.
        environment: whose cluster it belongs to; None for a part that all share.
        command: the program and its arguments.
        variables: added to the supervisor's own environment variables.
        port: where it is reached, if it listens.
        needs: titles of the parts that must be ready before it starts.
        prepare: writes the files that it needs, right before each start.
        ready: when it counts as ready.
        seconds: how long it may take to become ready.
    """

    name: str
    environment: str | None = None
    command: tuple[str | Path, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    needs: frozenset[str] = frozenset()
    prepare: Callable[[], None] = lambda: None
    ready: Condition
    seconds: float = 90

    @property
    def title(self) -> str:
        return title(self.name, self.environment)

    @property
    def log_name(self) -> str:
        """The file name of its log: `registry.log`, `dev-etcd.log`."""
        return self.title.replace("/", "-") + ".log"

    def environ(self) -> dict[str, str]:
        """The environment of its process; a proxy of the user's never stands between parts."""
        return {**os.environ, "NO_PROXY": HOST, "no_proxy": HOST, **self.variables}


class NeedsError(ValueError):
    """Parts wait for each other in a circle, or for one that does not exist."""


def waves(parts: Iterable[Part]) -> list[list[Part]]:
    """The parts in groups: each group needs only parts of the groups before it.

    Raises:
        NeedsError: there is no such order; the message names the parts concerned.
    """
    waiting = list(parts)
    known = {part.title for part in waiting}
    for part in waiting:
        if unknown := sorted(part.needs - known):
            raise NeedsError(f"{part.title} needs {', '.join(unknown)}, which is no part")
    groups: list[list[Part]] = []
    done: set[str] = set()
    while waiting:
        group = [part for part in waiting if part.needs <= done]
        if not group:
            raise NeedsError(
                f"{', '.join(part.title for part in waiting)} wait for each other in a circle"
            )
        groups.append(group)
        done |= {part.title for part in group}
        waiting = [part for part in waiting if part.title not in done]
    return groups
