"""Waiting for conditions, with a limit and a message that says what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable

from settings.problems import UserError


class StillMissingError(UserError):
    """A condition did not come true in time."""

    def __init__(self, what: str, seconds: float, missing: object) -> None:
        super().__init__(f"{what} did not happen within {seconds:.0f} s; still missing: {missing}")


def wait_until_empty(
    what: str, missing: Callable[[], object], *, seconds: float = 120, every: float = 0.5
) -> None:
    """Calls `missing` until it returns something empty.

    Raises StillMissingError with what it returned last once `seconds` have passed.
    """
    end = time.monotonic() + seconds
    while left := missing():
        if time.monotonic() > end:
            raise StillMissingError(what, seconds, left)
        time.sleep(every)
