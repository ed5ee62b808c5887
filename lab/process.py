"""Processes that end with their parent, and that are identified beyond their number."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """One process. Its start time distinguishes it from a later one with the same number."""

    pid: int
    started: int
    """In clock ticks since the machine's boot."""

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The living process with that number; None when there is none or it is a zombie."""
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        # The name is in parentheses and may have spaces; the state and the times come after it.
        fields = status.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    def alive(self) -> bool:
        return Identity.of(self.pid) == self

    def signal(self, number: signal.Signals) -> None:
        """Send the signal, unless the process is gone and its number may be another's."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    variables: Mapping[str, str],
    folder: Path,
) -> subprocess.Popen[bytes]:
    """Starts `command` in `folder` with exactly the environment `variables`.

    It appends to `log`, leads a session of its own, and is killed when the calling thread ends. So
    call this from the main thread.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    parent = os.getpid()

    def die_with_parent() -> None:
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(variables),
            cwd=folder,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - only single-threaded processes call this
        )


def stop(processes: Iterable[Identity], seconds: float) -> None:
    """Send SIGTERM to every process, and SIGKILL to those that still live after `seconds`."""
    waiting = [process for process in processes if process.alive()]
    for process in waiting:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while waiting := [process for process in waiting if process.alive()]:
        if time.monotonic() > deadline:
            for process in waiting:
                process.signal(signal.SIGKILL)
            deadline += 1
        time.sleep(0.02)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented; a sentence when there is nothing in it."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except OSError:
        text = ""
    last = text.strip().splitlines()[-lines:]
    return "\n".join(f"    {line[:400]}" for line in last) or "    (it wrote nothing)"


def describe_exit(code: int) -> str:
    """How a process ended: `exited with code 1`, `was killed by SIGKILL`."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
