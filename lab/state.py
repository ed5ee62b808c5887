"""The state of a running lab, in files: any process can read it, and stop the lab by it.

The supervisor writes `run/lab.json`, each process kubelet `run/processes-<environment>.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lab.process import Identity
from lab.site import Site

DaemonState = Literal["waiting", "starting", "ready", "died", "stopped"]
Phase = Literal["starting", "up", "failed", "stopping", "down"]


@dataclass(frozen=True, kw_only=True)
class DaemonStatus:
    """The state of a daemon when it was last checked.

    Attributes:
        name: its title, such as `dev/etcd`.
        state: `waiting` for others, `starting`, `ready`, `died` (a restart follows) or `stopped`.
        process: its process.
        seconds: how long it took to become ready.
        restarts: how often it was restarted since the lab came up.
        note: what is missing, or its last exit and the end of its log.
    """

    name: str
    state: DaemonState
    process: Identity | None = None
    port: int | None = None
    log: str = ""
    seconds: float | None = None
    restarts: int = 0
    note: str = ""

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def checked(self) -> DaemonStatus:
        """The same, or `stopped` if its process is gone without a report."""
        if self.process is None or self.process.alive():
            return self
        return replace(self, state="stopped", process=None)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one supervisor, or one process kubelet, knows about its processes."""

    phase: Phase = "down"
    owner: Identity | None = None
    daemons: tuple[DaemonStatus, ...] = ()
    message: str = ""


def run_folder(site: Site) -> Path:
    return site.home / "run"


def make_run_folder(site: Site) -> Path:
    """The folder, in a home that Git ignores wherever in a checkout it is."""
    folder = run_folder(site)
    folder.mkdir(parents=True, exist_ok=True)
    (site.home / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder


def supervisor_report(site: Site) -> Path:
    return run_folder(site) / "lab.json"


def processes_report(site: Site, environment: str) -> Path:
    return run_folder(site) / f"processes-{environment}.json"


def write(path: Path, report: Report) -> None:
    """Replace the report in one step."""
    write_atomically(path, json.dumps(asdict(report), indent=1))


def read(path: Path) -> Report:
    """The report; an empty one if there is none.

    A report in the layout of another version still names its process, so that it can be stopped.
    """
    owner = None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        owner = _identity(raw["owner"])
        return Report(
            phase=raw["phase"],
            owner=owner,
            daemons=tuple(_status(daemon) for daemon in raw["daemons"]),
            message=raw["message"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Report(owner=owner)


def everything(site: Site) -> Sequence[Report]:
    """The supervisor's report, then those of the process kubelets."""
    return [
        read(supervisor_report(site)),
        *(read(path) for path in sorted(run_folder(site).glob("processes-*.json"))),
    ]


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write the whole file or nothing; `mode` are its permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _identity(raw: dict[str, int] | None) -> Identity | None:
    return Identity(**raw) if raw else None


def _status(raw: dict[str, Any]) -> DaemonStatus:
    return DaemonStatus(**{**raw, "process": _identity(raw["process"])})
