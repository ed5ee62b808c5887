"""Programs that a command starts. When the command ends early, so do they."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Callable, NamedTuple, Optional, TypeVar

_PATIENCE = 3.0
"""Seconds that a program gets to end by itself before it is killed."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Ran(NamedTuple):
    """How a program ended, and what it said."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace")

    @property
    def words(self) -> str:
        """What it said on standard error."""
        return self.err.decode("utf-8", "replace")


class Processes:
    """Starts programs and remembers those that run."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Optional[str] = None,
        environ: Optional[Mapping[str, str]] = None,
        given: Optional[bytes] = None,
        timeout: Optional[float] = None,
    ) -> Ran:
        """Runs a program to its end. Raises FileNotFoundError and subprocess.TimeoutExpired."""
        with self._lock:
            if self._stopped:
                return Ran(-15, b"", b"")
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(environ) if environ is not None else None,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._running.add(process)
        try:
            out, err = process.communicate(given, timeout)
        except BaseException:
            _end(process)
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        return Ran(process.returncode, out, err)

    def together(
        self, work: Callable[[Item], Result], items: Iterable[Item], at_once: Optional[int] = None
    ) -> list[Result]:
        """`work` for each of the items, several at a time; the results in their order."""
        everything = list(items)
        if len(everything) <= 1:
            return [work(item) for item in everything]
        pool = ThreadPoolExecutor(at_once or (os.cpu_count() or 2) * 2)
        futures = [pool.submit(work, item) for item in everything]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            self.stop()
            raise
        finally:
            pool.shutdown()

    def stop(self) -> None:
        """Ends everything that runs; nothing is started any more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(OSError):
            process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
