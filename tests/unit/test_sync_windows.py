"""Sync windows are checked by what they mean, not by how they are spelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from settings.environment import Settings
from settings.loading import load_files
from settings.problems import Problem, SettingsError
from settings.sync_windows import SyncWindow, without_effect
from tests.unit.conftest import Bend

WORKDAYS = {"schedule": "0 9 * * 1-4", "duration": "8h", "timeZone": "Europe/Berlin"}


@pytest.fixture
def load(configuration: Path, bend: Bend) -> Any:
    """Loads prod with the given windows."""

    def with_windows(*windows: dict[str, Any]) -> Settings:
        bend(
            "Pulumi.prod.yaml",
            lambda config: config["platform:argocd"].update({"syncWindows": [*windows]}),
        )
        return load_files("prod", configuration)

    return with_windows


def words_of(problem: Problem) -> str:
    """What is wrong and what to do, behind the place."""
    return str(replace(problem, file="", path="", line=None))


GOOD: list[dict[str, Any]] = [
    {"schedule": "0 9 * * MON-THU", "duration": "1h30m", "timeZone": "America/Argentina/Ushuaia"},
    {"schedule": "0 22 * * 5", "duration": "48h"},
    {"schedule": "0 9 29 2 *", "duration": "90m"},
    {"schedule": "*/30 8-18/2 1,15 jan-nov *", "duration": "10m", "timeZone": "Etc/GMT+3"},
    {"schedule": "0 9 * * 0", "duration": "24h"},
    {"kind": "deny", "schedule": "0 0 20 12 *", "duration": "336h"},
    {"schedule": "0 9 * * 1-4", "duration": "24h"},
]
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a day that no month has": (
        {"schedule": "0 9 30 2 *"},
        ".schedule: never comes: its day-of-month is impossible (given: 0 9 30 2 *); write "
        "minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "a day that neither month has": (
        {"schedule": "0 9 31 4,6 *"},
        ".schedule: never comes: its day-of-month is impossible (given: 0 9 31 4,6 *); write "
        "minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "day 8": (
        {"schedule": "0 9 * * 1-8"},
        ".schedule: never comes: its day-of-week is impossible (given: 0 9 * * 1-8); write "
        "minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "hour 24": (
        {"schedule": "0 7-24 * * *"},
        ".schedule: never comes: its hour is impossible (given: 0 7-24 * * *); write minute "
        "0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "minute 60": (
        {"schedule": "60 9 * * *"},
        ".schedule: never comes: its minute is impossible (given: 60 9 * * *); write minute "
        "0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "month 13": (
        {"schedule": "0 9 1 13 *"},
        ".schedule: never comes: its month is impossible (given: 0 9 1 13 *); write minute "
        "0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "a step of nothing": (
        {"schedule": "*/0 9 * * *"},
        ".schedule: never comes: its minute is impossible (given: */0 9 * * *); write minute "
        "0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "a range downwards": (
        {"schedule": "0 9 * * fri-mon"},
        ".schedule: never comes: its day-of-week is impossible (given: 0 9 * * fri-mon); write "
        "minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges upwards",
    ),
    "Sunday as 7": (
        {"schedule": "0 9 * * 7"},
        ".schedule: has a day 7, and the week ends with 6 (given: 0 9 * * 7); write 0 for Sunday",
    ),
    "until Sunday": (
        {"schedule": "0 9 * * 1-7"},
        ".schedule: has a day 7, and the week ends with 6 (given: 0 9 * * 1-7); write 0 for Sunday",
    ),
    "the last day": (
        {"schedule": "0 9 L * *"},
        ".schedule: has L, which neither Kubernetes nor Argo CD knows (given: 0 9 L * *); write "
        "days as mon-fri",
    ),
    "six fields": (
        {"schedule": "0 0 9 * * 1"},
        ".schedule: must be a cron schedule of five fields such as 0 9 * * 1-4 (given: 0 0 9 * "
        "* 1); correct the value",
    ),
    "a word": (
        {"schedule": "@daily"},
        ".schedule: must be a cron schedule of five fields such as 0 9 * * 1-4 (given: @daily); "
        "correct the value",
    ),
    "a city that is no zone": (
        {"timeZone": "Europe/Munich"},
        ".timeZone: is no time zone (given: Europe/Munich); write a name of the IANA database "
        "such as Europe/Berlin",
    ),
    "the machine's own zone": (
        {"timeZone": "Local"},
        ".timeZone: is no time zone (given: Local); write a name of the IANA database such as "
        "Europe/Berlin",
    ),
    "a zone in small letters": (
        {"timeZone": "europe/berlin"},
        ".timeZone: is no time zone (given: europe/berlin); write a name of the IANA database "
        "such as Europe/Berlin",
    ),
    "days": (
        {"duration": "2d"},
        ".duration: must be a time such as 90m, 8h or 1h30m (given: 2d); correct the value",
    ),
    "no time": (
        {"duration": "0h"},
        ".duration: must be a time such as 90m, 8h or 1h30m (given: 0h); correct the value",
    ),
    "a number": ({"duration": 8}, ".duration: must be text (given: 8); put it in quotes"),
    "every minute of an hour": (
        {"schedule": "* 9 * * 1-4"},
        ": opens again 1m after it opened, while it is open for 8h; correct one of the two: a "
        "minute of `*` means every minute",
    ),
    "longer than a day, every day": (
        {"schedule": "0 9 * * *", "duration": "25h"},
        ": opens again 24h after it opened, while it is open for 25h; correct one of the two: a "
        "minute of `*` means every minute",
    ),
    "always": (
        {"schedule": "0 0 * * *", "duration": "24h"},
        ": never closes; leave it out, or shorten its duration",
    ),
    "a kind that is none": (
        {"kind": "forbid"},
        ".kind: must be 'allow' or 'deny' (given: forbid); correct the value",
    ),
}


@pytest.mark.parametrize("window", GOOD, ids=[str(window["schedule"]) for window in GOOD])
def test_a_window_that_argo_cd_understands_is_taken(load: Any, window: dict[str, Any]) -> None:
    (found,) = load(window).config.argocd.sync_windows
    assert found.schedule == window["schedule"]


@pytest.mark.parametrize("case", BAD)
def test_a_slip_in_a_window_is_refused(load: Any, case: str) -> None:
    change, words = BAD[case]
    with pytest.raises(SettingsError) as refused:
        load(WORKDAYS | change)
    (problem,) = refused.value.problems
    assert problem.path + words_of(problem) == f"platform:argocd.syncWindows[0]{words}"


def test_every_slip_is_told_at_once(load: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        load(WORKDAYS | {"schedule": "0 24 * * *"}, WORKDAYS | {"timeZone": "Mars/Base"})
    assert [problem.path for problem in refused.value.problems] == [
        "platform:argocd.syncWindows[0].schedule",
        "platform:argocd.syncWindows[1].timeZone",
    ]


WITHOUT_EFFECT: dict[str, tuple[dict[str, Any], str]] = {
    "the same twice": (
        WORKDAYS,
        "is there twice, so it changes nothing (given: allow 0 9 * * 1-4 for 8h); remove it, or "
        "correct it or the others",
    ),
    "inside another": (
        {**WORKDAYS, "schedule": "0 10 * * 2", "duration": "1h"},
        "adds nothing to the other windows that allow, so it changes nothing (given: allow 0 10 "
        "* * 2 for 1h); remove it, or correct it or the others",
    ),
}


@pytest.mark.parametrize("case", WITHOUT_EFFECT)
def test_a_window_that_changes_nothing_is_a_slip(load: Any, case: str) -> None:
    window, words = WITHOUT_EFFECT[case]
    with pytest.raises(SettingsError) as refused:
        load(WORKDAYS, window)
    (problem,) = refused.value.problems
    assert problem.path == "platform:argocd.syncWindows[1]"
    assert words_of(problem) == f": {words}"


def test_a_freeze_over_every_window_is_a_slip(load: Any) -> None:
    freeze = {**WORKDAYS, "kind": "deny", "schedule": "0 8 * * 1-5", "duration": "10h"}
    with pytest.raises(SettingsError, match="lies wholly in windows that deny"):
        load(WORKDAYS, freeze)


def test_windows_may_overlap_and_a_freeze_may_cut_into_them(load: Any) -> None:
    later = {**WORKDAYS, "schedule": "0 16 * * 1", "duration": "4h"}
    freeze = {**WORKDAYS, "kind": "deny", "schedule": "0 0 20 12 *", "duration": "336h"}
    assert len(load(WORKDAYS, later, freeze).config.argocd.sync_windows) == 3


def windows(*changes: dict[str, Any]) -> list[SyncWindow]:
    return [SyncWindow.model_validate(WORKDAYS | change) for change in changes]


def test_a_window_opens_by_the_clock_of_its_zone_in_a_leap_year() -> None:
    (new_year,) = windows({"schedule": "0 0 1 1 *", "duration": "1h30m"})
    assert list(new_year.openings()) == [(datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 30))]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([{}, {"timeZone": "UTC"}], []),
        ([{}, {"kind": "deny", "duration": "7h"}], []),
        ([{}, {}, {}], [(1, "is there twice"), (2, "is there twice")]),
        ([{"kind": "deny"}, {"kind": "deny"}], [(1, "is there twice")]),
        ([{"duration": "9h"}, {}], [(1, "adds nothing to the other windows that allow")]),
        (
            [{"kind": "deny", "duration": "1h"}, {"kind": "deny"}],
            [(0, "adds nothing to the other windows that deny")],
        ),
        ([{"kind": "deny"}, {}], [(1, "lies wholly in windows that deny")]),
        (
            [
                {"schedule": "0 9 * * 1", "duration": "2h"},
                {"schedule": "0 11 * * 1", "duration": "2h"},
                {"schedule": "0 10 * * 1", "duration": "3h"},
                {"schedule": "0 10 * * 1", "duration": "4h"},
            ],
            [
                (1, "adds nothing to the other windows that allow"),
                (2, "adds nothing to the other windows that allow"),
            ],
        ),
        (
            [
                {"schedule": "0 9 * * 1", "duration": "2h"},
                {"schedule": "0 11 * * 1", "duration": "2h"},
                {"schedule": "0 10 * * 1", "duration": "2h"},
            ],
            [(2, "adds nothing to the other windows that allow")],
        ),
        (
            [
                {"schedule": "0 9 * * 1", "duration": "2h"},
                {"schedule": "1 11 * * 1", "duration": "2h"},
                {"schedule": "0 10 * * 1", "duration": "2h"},
            ],
            [],
        ),
    ],
)
def test_a_window_has_an_effect_where_no_other_is_open(
    changes: list[dict[str, Any]], found: list[tuple[int, str]]
) -> None:
    assert list(without_effect(windows(*changes))) == found
