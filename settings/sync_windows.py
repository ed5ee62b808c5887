"""Argo CD's sync windows, and whether they mean something.

Argo CD refuses every sync of a project that has one impossible schedule. It uses UTC for an unknown
time zone. Both are refused here. It uses the zone's current offset, so the hours of a window are
those on the zone's clock.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings.model import Model
from settings.schedules import ENDING, CronSchedule, TimeZone, times

_LONG_AFTER = datetime(2034, 1, 1)
"""Until then every schedule has come twice, also that of 29 February."""
_MOST_OPENINGS = 10_000
"""So many show how a schedule repeats: every hour of a year."""

_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,6})m)?")


def _length(duration: str) -> timedelta:
    found = _DURATION.fullmatch(duration)
    hours, minutes = found.groups() if found else (None, None)
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0))


def _some_time(duration: str) -> str:
    if not _length(duration):
        raise ValueError("must be a time such as 90m, 8h or 1h30m")
    return duration


Duration = Annotated[str, AfterValidator(_some_time)]


class SyncWindow(Model):
    """When syncs are allowed or denied: a cron schedule, a duration and a time zone."""

    kind: Literal["allow", "deny"] = Field(
        "allow", description="deny: a freeze, stronger than any allow"
    )
    schedule: CronSchedule = Field(description="when it opens: a cron schedule such as 0 9 * * 1-4")
    duration: Duration = Field(description="how long it is open, such as 8h or 1h30m")
    time_zone: TimeZone = Field("UTC", description="such as Europe/Berlin")

    @model_validator(mode="after")
    def closes_before_it_opens_again(self) -> Self:
        gaps = {later - earlier for earlier, later in pairwise(self._until(_LONG_AFTER))}
        if min(gaps) < _length(self.duration):
            raise ValueError(
                f"opens again {_in_words(min(gaps))} after it opened, while it is open for "
                f"{self.duration}; correct one of the two: a minute of `*` means every minute"
            )
        if max(gaps) == _length(self.duration):
            raise ValueError("never closes; leave it out, or shorten its duration")
        return self

    def openings(self) -> Iterator[tuple[datetime, datetime]]:
        """When it opens and closes in one year, by the clock of its zone."""
        for opens in self._until(ENDING):
            yield opens, opens + _length(self.duration)

    def _until(self, end: datetime) -> Iterator[datetime]:
        return islice(times(self.schedule, end), _MOST_OPENINGS)


def without_effect(windows: Sequence[SyncWindow]) -> Iterator[tuple[int, str]]:
    """The number of each window that changes nothing, and why.

    Only windows of one time zone are compared.
    """
    for number, window in enumerate(windows):
        others = [
            other
            for place, other in enumerate(windows)
            if other.time_zone == window.time_zone and place != number
        ]
        twins = [other for other in windows[:number] if other == window]
        denied = [other for other in others if other.kind == "deny"]
        same = [other for other in others if other.kind == window.kind and other != window]
        if twins:
            yield number, "is there twice"
        elif window.kind == "allow" and _within(window, denied):
            yield number, "lies wholly in windows that deny"
        elif _within(window, same):
            yield number, f"adds nothing to the other windows that {window.kind}"


def _within(window: SyncWindow, others: Sequence[SyncWindow]) -> bool:
    """Whether others of the windows are open whenever this one is."""
    spans = _merged(sorted(span for other in others for span in other.openings()))
    begins = [begin for begin, _ in spans]
    return all(
        (place := bisect_right(begins, opens)) and closes <= spans[place - 1][1]
        for opens, closes in window.openings()
    )


def _merged(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def _in_words(time: timedelta) -> str:
    minutes = time // timedelta(minutes=1)
    return f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"
