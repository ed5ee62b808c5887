"""When the nodes of a node group stop and start, such as for nights and weekends.

EC2 Auto Scaling runs these schedules. Its API reference (PutScheduledUpdateGroupAction) wants the
five fields of Unix cron and a canonical name of the IANA database.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from settings.model import Model
from settings.schedules import BEGINNING, ENDING, CronSchedule, TimeZone, times

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBERS = {
    **{name: str(number) for number, name in enumerate(_MONTHS, start=1)},
    **{name: str(number) for number, name in enumerate(_DAYS)},
}


def _one_minute(schedule: str) -> str:
    """Every time of a schedule sets the size of the group anew."""
    if not re.match(r"\d+ ", schedule):
        raise ValueError("comes at more than one minute of an hour; write one minute, such as 0")
    return schedule


def _canonical(time_zone: str) -> str:
    if "/" not in time_zone:
        raise ValueError(
            "is no canonical name, which EC2 Auto Scaling wants; write one such as Europe/Berlin "
            "or Etc/UTC"
        )
    return time_zone


ScalingSchedule = Annotated[CronSchedule, AfterValidator(_one_minute)]


class NodeSchedule(Model):
    """When all nodes of a group stop and start, such as for nights and weekends.

    Only where speed is fast. Everything on the nodes stops, Argo CD and DNS too if they run there.
    """

    stop: ScalingSchedule = Field(description="when all nodes stop, such as 0 20 * * mon-fri")
    start: ScalingSchedule = Field(description="when minSize nodes start, such as 0 7 * * mon-fri")
    time_zone: Annotated[TimeZone, AfterValidator(_canonical)] = Field(
        "Etc/UTC", description="such as Europe/Berlin"
    )

    @model_validator(mode="after")
    def never_both_at_once(self) -> Self:
        """AWS refuses two actions of a group at one time."""
        if both := set(times(self.stop, ENDING)) & set(times(self.start, ENDING)):
            raise ValueError(
                f"stops and starts at the same time, such as {min(both):%A %H:%M}; move one of "
                "the two"
            )
        return self


def unix(schedule: str) -> str:
    """The schedule with numbers for names, of which crontab(5) allows neither ranges nor lists."""
    return re.sub(r"(?i)[a-z]+", lambda name: _NUMBERS[name[0].lower()], schedule)


def share_stopped(stop: str, start: str) -> float:
    """The share of a year in which nodes are stopped, by the clock on the wall."""
    stops, starts = times(stop, ENDING), times(start, ENDING)
    changes = sorted([*((at, True) for at in stops), *((at, False) for at in starts)])
    instants = [(BEGINNING, changes[-1][1]), *changes, (ENDING, False)]
    stopped = (end - at for (at, is_stopped), (end, _) in pairwise(instants) if is_stopped)
    return sum(stopped, timedelta()) / (ENDING - BEGINNING)
