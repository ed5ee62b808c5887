"""What is written down about a running lab, so that anybody can ask and anybody can stop it.

`run/lab.json` is the supervisor's, `run/processes-<environment>.json` a process kubelet's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from lab.process import Identity
from lab.site import Site

PartState = Literal["waiting", "starting", "ready", "died", "stopped"]
Phase = Literal["starting", "up", "failed", "stopping", "down"]


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """A part as it was last seen.

    Attributes:
        part: its title, such as `dev/etcd`.
        state: `waiting` for others, `starting`, `ready`, `died` (and about to come back) or
            `stopped`.
        process: the process that plays it.
        seconds: how long it took to become ready.
        restarts: how often it had to be started again since the lab came up.
        note: what is missing, or how it ended last and what its log says.
    """

    part: str
    state: PartState
    process: Identity | None = None
    port: int | None = None
    log: str = ""
    seconds: float | None = None
    restarts: int = 0
    note: str = ""

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def checked(self) -> PartStatus:
        """The same, or `stopped` when its process is gone and nobody noticed."""
        if self.process is None or self.process.alive():
            return self
        return replace(self, state="stopped", process=None)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything one supervisor, or one process kubelet, knows about its processes."""

    phase: Phase = "down"
    owner: Identity | None = None
    parts: tuple[PartStatus, ...] = ()
    message: str = ""


def run_folder(site: Site) -> Path:
    return site.home / "run"


def supervisor_report(site: Site) -> Path:
    return run_folder(site) / "lab.json"


def processes_report(site: Site, environment: str) -> Path:
    return run_folder(site) / f"processes-{environment}.json"


def write(path: Path, report: Report) -> None:
    """Replaces the report in one step."""
    write_atomically(path, json.dumps(asdict(report), indent=1))


def read(path: Path) -> Report:
    """The report; an empty one when there is none, or one of another layout."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        parts = tuple(
            PartStatus(**{**part, "process": _identity(part["process"])}) for part in raw["parts"]
        )
        return Report(
            phase=raw["phase"],
            owner=_identity(raw["owner"]),
            parts=parts,
            message=raw["message"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Report()


def everything(site: Site) -> Sequence[Report]:
    """The supervisor's report and, behind it, those of the process kubelets."""
    return [
        read(supervisor_report(site)),
        *(read(path) for path in sorted(run_folder(site).glob("processes-*.json"))),
    ]


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes the whole file or nothing; `mode` are its rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _identity(raw: dict[str, int] | None) -> Identity | None:
    return Identity(**raw) if raw else None
