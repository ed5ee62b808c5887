"""A process that is watched: asked until it is ready, and due for another start when it dies."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lab.process import Identity, describe_exit, start, stop, tail
from lab.readiness import Condition
from lab.state import PartStatus

LONGEST_PAUSE = 30.0
"""Seconds between two restarts of a process that dies at once, at most."""


class Watched:
    """What is known of one part's process, kept in `status`."""

    def __init__(self, part: str, *, log: Path, port: int | None, note: str = "") -> None:
        self.log = log
        self.status = PartStatus(part=part, state="waiting", port=port, log=str(log), note=note)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._not_before = 0.0

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def may_start(self) -> bool:
        """Whether the pause after its last end is over."""
        return time.monotonic() >= self._not_before

    @property
    def age(self) -> float:
        """Seconds since its process started."""
        return time.monotonic() - self._started

    def start(
        self, command: Sequence[str | Path], *, variables: Mapping[str, str], folder: Path
    ) -> None:
        """Starts the process; how an earlier one died stays in the note until this one is ready."""
        self._started = time.monotonic()
        self._process = start(command, log=self.log, variables=variables, folder=folder)
        self.status = replace(
            self.status,
            state="starting",
            process=Identity.of(self._process.pid),
            note=self.status.note if self.status.restarts else "",
        )

    def wait_for(self, what: str) -> None:
        """Notes what has to be there before it can start."""
        self.status = replace(self.status, state="waiting", note=f"waits: {what}")

    def ask(self, ready: Condition) -> bool:
        """Whether the process is ready by now."""
        missing = ready()
        if missing is None:
            note = self.status.note.partition("\n")[0] if self.status.restarts else ""
            took = round(self.age, 1)
            self.status = replace(self.status, state="ready", seconds=took, note=note)
        elif not self.status.restarts:
            self.status = replace(self.status, note=missing)
        return missing is None

    def ending(self) -> str | None:
        """How its process ended; None while it runs."""
        code = self._process.poll() if self._process else None
        return None if code is None else describe_exit(code)

    def lose(self, how: str) -> str:
        """Takes note that it `exited with code 1` or the like; returns that with its log's end.

        What may still run of it is killed. The next start may be at once, later ones after a
        pause that doubles.
        """
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None
        story = f"{how}.\n  The end of {self.log}:\n{tail(self.log)}"
        restarts = self.status.restarts + 1
        pause = 0.0 if restarts == 1 else min(2.0 ** (restarts - 2), LONGEST_PAUSE)
        self._not_before = time.monotonic() + pause
        self.status = replace(
            self.status,
            state="died",
            process=None,
            restarts=restarts,
            note=f"at {time.strftime('%H:%M:%S')} it {story}",
        )
        return story

    def end(self, seconds: float) -> None:
        """Stops the process, by force after `seconds`."""
        if self._process is not None:
            if self.status.process:
                stop([self.status.process], seconds)
            self._process.wait()
        self._process = None
        self.status = replace(self.status, state="stopped", process=None)


def end_all(watched: Sequence[Watched], seconds: float) -> None:
    """Stops several processes at once."""
    stop([each.status.process for each in watched if each.status.process], seconds)
    for each in watched:
        each.end(seconds)
