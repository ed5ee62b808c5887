# Managed: generated, so change services.yaml or the stack files instead.
"""How a command ends early: one message, what to do about it, and an exit code."""

from __future__ import annotations

DONE, DECLINED, USAGE, PRECONDITION, UNVERIFIED, REMOTE, FAULT, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    70,
    130,
)

EXIT_CODES = """\
Exit codes:
  0    done, or nothing to do
  1    not confirmed: declined, or no terminal to ask on and no --yes
  2    wrong arguments, or a service that does not exist
  3    this machine or this clone is not ready (dirty tree, missing kustomize, ...)
  4    the version cannot be released (unknown, moved, never ran on the fast environment, ...)
  5    the Git remote or the registry refused, or cannot be reached
  70   a fault in the script itself
  130  interrupted
"""


class Failure(Exception):  # noqa: N818 - how a command ends is no programming error
    """What was asked for cannot be done: `message`, then lines that say what to do."""

    def __init__(self, code: int, message: str, *lines: str) -> None:
        super().__init__(message)
        self.code, self.message, self.lines = code, message, lines


class Interrupted(BaseException):
    """A signal asks the command to end."""


class OutputClosed(Exception):  # noqa: N818 - the same
    """Nobody reads what is printed any more."""
