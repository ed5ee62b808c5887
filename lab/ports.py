"""The ports of a lab, all of them checked before anything starts."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import psutil

from lab.site import CLUSTER_PORTS, HOST, KEEL_PORT, SHARED_PORTS, Site
from settings.problems import UserError

_HIGHEST_BASE = 30000  # Linux uses the ports above for outgoing connections


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port."""

    pid: int
    command: str
    lab: str | None = None
    """The state folder of the lab that the process belongs to, if it is known."""


@dataclass(frozen=True)
class Conflict:
    """A port that the lab needs and another process has."""

    daemon: str
    port: int
    holder: Holder | None

    def __str__(self) -> str:
        if self.holder is None:
            return f"{self.port} for {self.daemon}, used by a process that this user cannot see"
        return f"{self.port} for {self.daemon}, used by process {self.holder.pid}: " + shorten(
            self.holder.command, 70
        )


class PortsTakenError(UserError):
    """Ports that the lab needs are taken; nothing was started. The message names every one."""

    def __init__(self, conflicts: list[Conflict], port_base: int) -> None:
        self.conflicts = conflicts
        count = "1 port is" if len(conflicts) == 1 else f"{len(conflicts)} ports are"
        lines = "\n".join(f"  - {conflict}" for conflict in conflicts)
        labs = sorted({c.holder.lab for c in conflicts if c.holder and c.holder.lab})
        remedies = [f"Stop the lab in {lab}: LAB_HOME={lab} make down" for lab in labs] or [
            "Stop the processes that use them; of another lab, by `make down` in its checkout."
        ]
        if any(conflict.port != KEEL_PORT for conflict in conflicts):
            remedies.append(
                f"Or move this lab elsewhere: LAB_PORT_BASE={_other_base(port_base)} make up"
            )
        if any(conflict.port == KEEL_PORT for conflict in conflicts):
            remedies.append(
                f"Port {KEEL_PORT} is compiled into Keel: stop the process that has it."
            )
        super().__init__(f"{count} taken, nothing was started:\n{lines}\n" + "\n".join(remedies))


def needed(site: Site) -> dict[int, str]:
    """Every port of the lab, with the daemon that listens there."""
    ports = {site.port(name): name for name in SHARED_PORTS}
    for environment in site.environments:
        for name in CLUSTER_PORTS:
            ports[site.port(name, environment)] = f"{environment}/{name}"
    return {**ports, KEEL_PORT: "keel"}


def is_free(port: int) -> bool:
    """Whether a process can listen on this port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: closed connections of an earlier run do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def holders() -> dict[int, Holder]:
    """The listening processes that this user may see, by port."""
    found: dict[int, Holder] = {}
    for process in psutil.process_iter():
        try:
            ports = [
                connection.laddr.port
                for connection in process.net_connections(kind="tcp")
                if connection.status == psutil.CONN_LISTEN
            ]
            if ports:
                program, *words = process.cmdline() or [process.name()]
                command = " ".join([Path(program).name, *words])
                holder = Holder(process.pid, command, process.environ().get("LAB_HOME"))
                found.update(dict.fromkeys(ports, holder))
        except psutil.Error:
            continue
    return found


def conflicts(
    ports: Mapping[int, str],
    free: Callable[[int], bool] = is_free,
    who: Callable[[], Mapping[int, Holder]] = holders,
) -> list[Conflict]:
    """Those of `ports` (number to daemon) that are taken, in order of their number."""
    taken = sorted(port for port in ports if not free(port))
    listening = who() if taken else {}
    return [Conflict(ports[port], port, listening.get(port)) for port in taken]


def require_free(site: Site) -> None:
    """Raises PortsTakenError, which names every port of the lab that is taken."""
    if found := conflicts(needed(site)):
        raise PortsTakenError(found, site.port_base)


def _other_base(port_base: int) -> int:
    """A base whose ports cannot meet those of `port_base`."""
    return port_base + 2000 if port_base < _HIGHEST_BASE else 21000
