# Managed: generated, so change services.yaml or the stack files instead.
"""Speaking to the person at the keyboard. What others wrote cannot steer the terminal."""

from __future__ import annotations

import os
import re
import secrets
import sys
from contextlib import suppress
from typing import IO, Optional

from release.errors import DECLINED, PRECONDITION, Failure, OutputClosed

try:
    import termios
except ImportError:  # Windows without WSL
    termios = None  # type: ignore[assignment]

_BOLD, _DIM, _GREEN, _RED, _CYAN, _PLAIN = (
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[32m",
    "\x1b[31m",
    "\x1b[36m",
    "\x1b[m",
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MARK = f"\0{secrets.token_hex(8)}:"
"""Before a colour of ours, so that nobody else's text brings one."""


def visible(text: str) -> str:
    """`text` with everything that could steer a terminal written out, such as `\\x1b`."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The same, and on one line."""
    return visible(re.sub(r"[\t\r\n]+", " ", text)).strip()


class Terminal:
    """Standard input, output and error of a command."""

    def __init__(
        self,
        out: Optional[IO[str]] = None,
        err: Optional[IO[str]] = None,
        source: Optional[IO[str]] = None,
    ) -> None:
        self._out = out if out is not None else sys.stdout
        self._err = err if err is not None else sys.stderr
        self._in = source if source is not None else sys.stdin
        self.committed = ""
        """What has happened that no longer depends on anybody reading."""
        for stream in (self._out, self._err):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        self.coloured = (
            _is_terminal(self._out)
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM", "dumb") not in ("", "dumb")
        )

    # --- what is painted

    def bold(self, text: str) -> str:
        return self._paint(_BOLD, text)

    def dim(self, text: str) -> str:
        return self._paint(_DIM, text)

    def green(self, text: str) -> str:
        return self._paint(_GREEN, text)

    def difference(self, lines: list[str]) -> list[str]:
        """A unified difference, in colour on a terminal."""
        colours = {"+++": _BOLD, "---": _BOLD, "@@ ": _CYAN, "+": _GREEN, "-": _RED}
        painted = []
        for line in lines:
            colour = next((c for mark, c in colours.items() if line.startswith(mark)), None)
            painted.append(self._paint(colour, line) if colour else visible(line))
        return painted

    def _paint(self, colour: str, text: str) -> str:
        text = visible(text)
        return f"{_MARK}{colour}{text}{_MARK}{_PLAIN}" if self.coloured else text

    # --- what is said

    def say(self, text: str = "") -> None:
        """A line, or several, on standard output."""
        self.write(_steady(text) + "\n")

    def write(self, text: str) -> None:
        if self._out is None:
            if not self.committed:
                raise Failure(PRECONDITION, "standard output is closed; nothing was changed")
            return
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError as error:
            _forget(self._out)
            if not self.committed:
                raise OutputClosed from error
        except OSError as error:
            _forget(self._out)
            if not self.committed:
                raise Failure(
                    PRECONDITION, f"cannot write the output: {error.strerror}; nothing was changed"
                ) from error

    def note(self, text: str = "") -> None:
        """A line on standard error."""
        if self._err is None:
            return
        try:
            self._err.write(visible(text) + "\n")
            self._err.flush()
        except OSError:
            _forget(self._err)
            self._err = None

    def warn(self, text: str) -> None:
        self.note(f"warning: {text}")

    def fail(self, failure: Failure) -> None:
        self.note(f"error: {failure.message}")
        for line in failure.lines:
            self.note(f"  {line}")

    # --- what is asked

    def require_somebody(self) -> None:
        """Raises Failure unless a person sees the terminal and can answer."""
        if not _is_terminal(self._in):
            raise Failure(
                DECLINED,
                "there is no terminal to ask on; nothing was changed",
                "add --yes to go ahead without a question, or --dry-run to look",
            )
        if not _is_terminal(self._out):
            raise Failure(
                DECLINED,
                "nobody sees what would change: it goes to a file or a program; "
                "nothing was changed",
                "add --yes to go ahead without a question, or --dry-run to look",
            )

    def confirm(self, question: str) -> bool:
        """Whether the answer is y or yes. What was typed before the question is no answer."""
        self._forget_typed()
        if self._err is not None:
            try:
                self._err.write(f"{visible(question)} [y/N] ")
                self._err.flush()
            except OSError:
                _forget(self._err)
                return False
        try:
            answer = self._in.readline() if self._in is not None else ""
        except (OSError, ValueError):
            answer = ""
        if not answer.endswith("\n"):
            self.note()
        return answer.strip().lower() in ("y", "yes")

    def _forget_typed(self) -> None:
        if termios is None or self._in is None:
            return
        with suppress(OSError, ValueError, termios.error):  # not a terminal: nothing was typed
            termios.tcflush(self._in.fileno(), termios.TCIFLUSH)


def _steady(text: str) -> str:
    """The same as `visible`, but for the colours that this module has painted."""
    first, *painted = text.split(_MARK)
    found = [visible(first)]
    for part in painted:
        end = part.index("m") + 1
        found.append(part[:end] + visible(part[end:]))
    return "".join(found)


def _forget(stream: IO[str]) -> None:
    """What is still in the buffer would fail again when Python ends, with a code of its own."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _is_terminal(stream: Optional[IO[str]]) -> bool:
    try:
        return stream is not None and os.isatty(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
