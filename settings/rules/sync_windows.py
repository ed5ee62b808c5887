"""Rules about the windows in which Argo CD syncs."""

from __future__ import annotations

from collections.abc import Iterator

from settings import sync_windows
from settings.environment import Environment
from settings.problems import Problem


def without_effect(environment: Environment) -> Iterator[Problem]:
    windows = environment.config.argocd.sync_windows
    for number, why in sync_windows.without_effect(windows):
        window = windows[number]
        yield environment.problem(
            f"argocd.syncWindows[{number}]",
            f"{window.kind} {window.schedule} for {window.duration}",
            f"{why}, so it changes nothing",
            "remove it, or correct it or the others",
        )
