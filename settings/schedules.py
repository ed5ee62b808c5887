"""Cron schedules and time zones, as Argo CD and Kubernetes read them.

Both take a schedule that can never come, and Argo CD takes UTC for a time zone that it does not
know. Both are refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import Annotated
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

from settings.model import Matching

BEGINNING, ENDING = datetime(2024, 1, 1), datetime(2025, 1, 1)
"""Of a leap year, which has every day, by a clock on the wall."""

_FIELD = "[0-9*/,A-Za-z-]+"
_WORDS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun"


def _possible(schedule: str) -> str:
    """`schedule`, or ValueError where Argo CD would refuse it, or it never comes."""
    unknown = re.sub(rf"(?i){_WORDS}|[0-9*/, -]", "", schedule)
    if unknown:
        raise ValueError(
            f"has {unknown}, which neither Kubernetes nor Argo CD knows; write days as mon-fri"
        )
    if re.search(r"(^|[,-])0*7($|[,/-])", schedule.rpartition(" ")[2]):
        raise ValueError("has a day 7, and the week ends with 6; write 0 for Sunday")
    try:
        next(CronSim(schedule, BEGINNING))
    except CronSimError as error:
        which = str(error).removeprefix("Bad ")
        raise ValueError(
            f"never comes: its {which} is impossible; write minute 0-59, hour 0-23, "
            "day 1-31, month 1-12, day of the week 0-6, and ranges upwards"
        ) from None
    return schedule


def times(schedule: str, end: datetime) -> Iterator[datetime]:
    """When it comes, from BEGINNING until before `end`, by a clock on the wall."""
    every = CronSim(schedule, BEGINNING - timedelta.resolution)
    return takewhile(lambda time: time < end, every)


@cache
def _time_zones() -> Set[str]:
    return available_timezones()


def _known(time_zone: str) -> str:
    if time_zone not in _time_zones():
        raise ValueError("is no time zone; write a name of the IANA database such as Europe/Berlin")
    return time_zone


CronSchedule = Annotated[
    str,
    Matching(
        f"{_FIELD}( {_FIELD}){{4}}", "must be a cron schedule of five fields such as 0 9 * * 1-4"
    ),
    AfterValidator(_possible),
]
TimeZone = Annotated[str, AfterValidator(_known)]
