"""The command line: which command, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, Callable, NoReturn

from release import commands, releasecommands, usage
from release.context import Context
from release.errors import (
    DECLINED,
    DONE,
    FAULT,
    INTERRUPTED,
    PRECONDITION,
    Failure,
    Interrupted,
    OutputClosed,
)
from release.processes import Processes
from release.start import Start
from release.terminal import Terminal, one_line

COMMANDS: dict[str, tuple[Callable[[Start, Sequence[str]], int], str]] = {
    "promote": (releasecommands.promote, usage.PROMOTE),
    "rollback": (releasecommands.rollback, usage.ROLLBACK),
    "history": (commands.history, usage.HISTORY),
    "render": (commands.render, usage.RENDER),
    "deliver": (commands.deliver, usage.DELIVER),
}
_READING = ("history", "render")
"""Commands that change nothing: a closed pipe is no failure of theirs."""


def main(words: Sequence[str]) -> int:
    """Runs a command; its exit code."""
    os.environ["PATH"] = os.environ.pop("RELEASE_PATH", "") or os.environ.get("PATH", os.defpath)
    name, arguments = (words[0], list(words[1:])) if words else ("", [])
    if name not in COMMANDS:
        sys.stderr.write(f"error: no such command; there are {', '.join(COMMANDS)}\n")
        return 2
    terminal = Terminal()
    processes = Processes()
    start = Start(terminal, processes, name, arguments)
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGINT:
            signal.signal(number, _interrupt)
    run, help_text = COMMANDS[name]
    try:
        if "--help" in arguments or "-h" in arguments or (name == "render" and not arguments):
            terminal.write(help_text)
            return DONE
        return run(start, arguments)
    except BaseException as error:
        _ignore_signals()
        processes.stop()
        return _ended(error, start)
    finally:
        _ignore_signals()
        start.end()


def _ended(error: BaseException, start: Start) -> int:
    """Says why the command ends early; the exit code."""
    if isinstance(error, (Interrupted, KeyboardInterrupt)):
        _tell_interrupted(start.terminal, start.context)
        return INTERRUPTED
    if isinstance(error, OutputClosed):
        if start.name in _READING or start.reading:
            return DONE
        start.terminal.note("error: nobody reads what would change; nothing was changed")
        return DECLINED
    failure = error if isinstance(error, Failure) else _failure(error, start)
    start.terminal.fail(failure)
    return failure.code


def _failure(error: BaseException, start: Start) -> Failure:
    """What a fault of the machine, or of the script itself, is in words."""
    if isinstance(error, OSError):
        where = f": {one_line(str(error.filename))}" if error.filename else ""
        why = f"this machine refuses: {error.strerror or error}{where}"
        return Failure(PRECONDITION, why, *_state(start))
    if isinstance(error, RecursionError):
        return Failure(PRECONDITION, "a file is nested too deeply to be read", *_state(start))
    if isinstance(error, MemoryError):
        return Failure(PRECONDITION, "this machine has too little memory", *_state(start))
    what = f"{type(error).__name__}: {one_line(str(error))[:200]}"
    return Failure(FAULT, f"a fault in the script itself: {what}", _place(error), *_state(start))


def _interrupt(number: int, _: Any) -> NoReturn:
    _ignore_signals()
    raise Interrupted(number)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_IGN)


def _tell_interrupted(terminal: Terminal, context: Context | None) -> None:
    terminal.note()
    if context is not None and context.pushing:
        terminal.note("interrupted while pushing; this clone is as it was")
        terminal.note("whether the push arrived: scripts/history.sh --limit 5")
    elif terminal.committed:
        terminal.note(f"interrupted, but {terminal.committed}")
    else:
        terminal.note("interrupted; nothing was changed")


def _state(start: Start) -> list[str]:
    if start.context is not None and start.context.pushing:
        return ["this was during the push: whether it arrived says scripts/history.sh --limit 5"]
    return [start.terminal.committed or "nothing was changed"]


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "in an unknown place"
    return f"in {os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno}"
