"""Forks: each runs one piece of work, a few at once."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence

AT_ONCE = os.cpu_count() or 1
ERROR = 3
"""The exit status of a fork whose work raised an exception."""

Work = Callable[[], int]
"""Returns the exit status of its fork."""


def in_forks(works: Sequence[Work], wanted: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """Run each in a fork of its own; yields its number and its exit status, in order of ending.

    A negative status is the signal that ended it. Temporary files of pytest are removed.

    Args:
        wanted: whether to begin another one.
    """
    gc.collect()
    gc.freeze()  # a collection in a fork would copy all that there is
    running = dict[int, tuple[int, str]]()
    waiting = list(range(len(works)))
    while True:
        while waiting and len(running) < AT_ONCE and wanted():
            number, folder = waiting.pop(0), tempfile.mkdtemp()
            running[_fork(works[number], folder)] = number, folder
        if not running:
            return
        pid, status = os.wait()
        number, folder = running.pop(pid)
        shutil.rmtree(folder, ignore_errors=True)
        yield number, os.waitstatus_to_exitcode(status)


def _fork(work: Work, folder: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = ERROR
    try:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        status = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
