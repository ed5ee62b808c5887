"""A child of a supervisor: one process, how far it is, and when it may start again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lab.process import Identity, describe_exit, start, stop, tail
from lab.readiness import Condition
from lab.state import DaemonStatus

LONGEST_PAUSE = 30.0
"""The longest pause, in seconds, before a process that keeps dying starts again."""


class Child:
    """The process of one daemon; `status` is what others read about it."""

    def __init__(self, name: str, *, log: Path, port: int | None, note: str = "") -> None:
        self.log = log
        self.status = DaemonStatus(name=name, state="waiting", port=port, log=str(log), note=note)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._not_before = 0.0

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def may_start(self) -> bool:
        """Whether the pause after its last exit is over."""
        return time.monotonic() >= self._not_before

    @property
    def age(self) -> float:
        """Seconds since its process started."""
        return time.monotonic() - self._started

    def start(
        self, command: Sequence[str | Path], *, variables: Mapping[str, str], folder: Path
    ) -> None:
        """Start the process. After a restart the note keeps the last exit until it is ready."""
        self._started = time.monotonic()
        self._process = start(command, log=self.log, variables=variables, folder=folder)
        self.status = replace(
            self.status,
            state="starting",
            process=Identity.of(self._process.pid),
            note=self.status.note if self.status.restarts else "",
        )

    def wait_for(self, what: str) -> None:
        """Note what it needs before it can start."""
        self.status = replace(self.status, state="waiting", note=f"waits: {what}")

    def check(self, ready: Condition) -> bool:
        """Whether the process is ready now; the note says what is missing."""
        missing = ready()
        if missing is None:
            note = self.status.note.partition("\n")[0] if self.status.restarts else ""
            took = round(self.age, 1)
            self.status = replace(self.status, state="ready", seconds=took, note=note)
        elif not self.status.restarts:
            self.status = replace(self.status, note=missing)
        return missing is None

    def exit(self) -> str | None:
        """How its process ended, such as `exited with code 1`; None while it runs."""
        code = self._process.poll() if self._process else None
        return None if code is None else describe_exit(code)

    def record_failure(self, how: str) -> str:
        """Note how it failed, and return that with the end of its log.

        A process that still runs is killed. The first restart may be at once. Each later one
        waits twice as long as the one before.
        """
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None
        report = f"{how}.\n  The end of {self.log}:\n{tail(self.log)}"
        restarts = self.status.restarts + 1
        pause = 0.0 if restarts == 1 else min(2.0 ** (restarts - 2), LONGEST_PAUSE)
        self._not_before = time.monotonic() + pause
        self.status = replace(
            self.status,
            state="died",
            process=None,
            restarts=restarts,
            note=f"at {time.strftime('%H:%M:%S')} it {report}",
        )
        return report

    def stop(self, seconds: float) -> None:
        """Stop the process; kill it after `seconds`."""
        if self._process is not None:
            if self.status.process:
                stop([self.status.process], seconds)
            self._process.wait()
        self._process = None
        self.status = replace(self.status, state="stopped", process=None)


def stop_all(children: Sequence[Child], seconds: float) -> None:
    """Stop several processes at once."""
    stop([child.status.process for child in children if child.status.process], seconds)
    for child in children:
        child.stop(seconds)
