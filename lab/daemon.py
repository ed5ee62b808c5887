"""What the supervisor knows of a daemon: how it starts, when it is ready, what it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lab.readiness import Condition
from lab.site import HOST


def title(name: str, environment: str | None = None) -> str:
    """`registry`, or `dev/etcd` for a daemon of an environment's cluster."""
    return f"{environment}/{name}" if environment else name


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One process that the supervisor keeps running.

    Attributes:
        name: the daemon's name, also of its log.
        environment: the environment whose cluster it belongs to; None if all share it.
        command: the program and its arguments.
        variables: added to the supervisor's own environment variables.
        port: where it listens, if it does.
        needs: titles of the daemons that must be ready before it starts.
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
        """The environment of its process. Daemons reach each other without the user's proxy."""
        return {**os.environ, "NO_PROXY": HOST, "no_proxy": HOST, **self.variables}


class NeedsError(ValueError):
    """Daemons need each other in a cycle, or one that does not exist."""


def start_order(daemons: Iterable[Daemon]) -> list[list[Daemon]]:
    """The daemons in groups: each group needs only daemons of the groups before it.

    Raises:
        NeedsError: there is no such order; the message names the daemons concerned.
    """
    by_title = {daemon.title: daemon for daemon in daemons}
    for daemon in by_title.values():
        if unknown := sorted(daemon.needs - by_title.keys()):
            raise NeedsError(f"{daemon.title} needs {', '.join(unknown)}, which does not exist")
    sorter = TopologicalSorter({name: daemon.needs for name, daemon in by_title.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise NeedsError(f"daemons need each other: {' -> '.join(error.args[1])}") from error
    groups = []
    while sorter.is_active():
        ready = set(sorter.get_ready())
        groups.append([daemon for name, daemon in by_title.items() if name in ready])
        sorter.done(*ready)
    return groups
