"""Sync windows are checked by what they mean, not by how they are spelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings import Settings, SettingsError, load_files
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
    "a day that no month has": ({"schedule": "0 9 30 2 *"}, "its day-of-month is impossible"),
    "a day that neither month has": ({"schedule": "0 9 31 4,6 *"}, "day-of-month is impossible"),
    "day 8": ({"schedule": "0 9 * * 1-8"}, "its day-of-week is impossible"),
    "hour 24": ({"schedule": "0 7-24 * * *"}, "its hour is impossible"),
    "minute 60": ({"schedule": "60 9 * * *"}, "its minute is impossible"),
    "month 13": ({"schedule": "0 9 1 13 *"}, "its month is impossible"),
    "a step of nothing": ({"schedule": "*/0 9 * * *"}, "its minute is impossible"),
    "a range downwards": ({"schedule": "0 9 * * fri-mon"}, "its day-of-week is impossible"),
    "Sunday as 7": ({"schedule": "0 9 * * 7"}, "write 0 for Sunday"),
    "until Sunday": ({"schedule": "0 9 * * 1-7"}, "write 0 for Sunday"),
    "the last day": (
        {"schedule": "0 9 L * *"},
        "has L, which neither Kubernetes nor Argo CD knows",
    ),
    "six fields": ({"schedule": "0 0 9 * * 1"}, "five fields"),
    "a word": ({"schedule": "@daily"}, "five fields"),
    "a city that is no zone": ({"timeZone": "Europe/Munich"}, "is no time zone"),
    "the machine's own zone": ({"timeZone": "Local"}, "is no time zone"),
    "a zone in small letters": ({"timeZone": "europe/berlin"}, "is no time zone"),
    "days": ({"duration": "2d"}, "must be a time such as 90m, 8h or 1h30m"),
    "no time": ({"duration": "0h"}, "must be a time"),
    "a number": ({"duration": 8}, "must be text"),
    "every minute of an hour": (
        {"schedule": "* 9 * * 1-4"},
        "opens again 1m after it opened, while it is open for 8h",
    ),
    "longer than a day, every day": (
        {"schedule": "0 9 * * *", "duration": "25h"},
        "opens again 24h after it opened",
    ),
    "always": ({"schedule": "0 0 * * *", "duration": "24h"}, "never closes"),
    "a kind that is none": ({"kind": "forbid"}, "must be 'allow' or 'deny'"),
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
    assert problem.path.startswith("platform:argocd.syncWindows[0]")
    assert words in str(problem)


def test_every_slip_is_told_at_once(load: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        load(WORKDAYS | {"schedule": "0 24 * * *"}, WORKDAYS | {"timeZone": "Mars/Base"})
    assert [problem.path for problem in refused.value.problems] == [
        "platform:argocd.syncWindows[0].schedule",
        "platform:argocd.syncWindows[1].timeZone",
    ]


WITHOUT_EFFECT: dict[str, tuple[dict[str, Any], str]] = {
    "the same twice": (WORKDAYS, "is there twice"),
    "inside another": ({**WORKDAYS, "schedule": "0 10 * * 2", "duration": "1h"}, "adds nothing"),
}


@pytest.mark.parametrize("case", WITHOUT_EFFECT)
def test_a_window_that_changes_nothing_is_a_slip(load: Any, case: str) -> None:
    window, words = WITHOUT_EFFECT[case]
    with pytest.raises(SettingsError) as refused:
        load(WORKDAYS, window)
    (problem,) = refused.value.problems
    assert problem.path == "platform:argocd.syncWindows[1]"
    assert words in problem.rule


def test_a_freeze_over_every_window_is_a_slip(load: Any) -> None:
    freeze = {**WORKDAYS, "kind": "deny", "schedule": "0 8 * * 1-5", "duration": "10h"}
    with pytest.raises(SettingsError, match="lies wholly in windows that deny"):
        load(WORKDAYS, freeze)


def test_windows_may_overlap_and_a_freeze_may_cut_into_them(load: Any) -> None:
    later = {**WORKDAYS, "schedule": "0 16 * * 1", "duration": "4h"}
    freeze = {**WORKDAYS, "kind": "deny", "schedule": "0 0 20 12 *", "duration": "336h"}
    assert len(load(WORKDAYS, later, freeze).config.argocd.sync_windows) == 3
