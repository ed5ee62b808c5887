"""The supervisor itself: `python -m lab.runner` runs every part of the lab until told to stop.

It is one thread on purpose: the parts are killed when the thread that started them ends.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

from lab import state
from lab.part import Part, waves
from lab.parts import all_parts
from lab.process import Identity, describe_exit, start, stop, tail
from lab.site import CHECKOUT, Site
from lab.state import PartStatus, Phase, Report

TICK = 0.1
"""Seconds between two looks at the parts while the lab starts."""
CALM_TICK = 0.5
"""The same once it is up."""
GRACE = 8.0
"""Seconds that a wave of parts gets to end by itself."""
LONGEST_PAUSE = 30.0
"""Seconds between two restarts of a part that dies at once, at most."""


class PartFailedError(Exception):
    """A part did not become ready, so nothing is kept running."""


class Play:
    """One part and the process that plays it now."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.since = 0.0
        self.not_before = 0.0
        self.status = PartStatus(
            part=part.title, state="waiting", port=part.port, log=str(log), note=_waits(part)
        )

    def begin(self) -> None:
        self.part.prepare()
        self.since = time.monotonic()
        self.process = start(
            self.part.command, log=self.log, variables=self.part.environ(), folder=CHECKOUT
        )
        self.status = replace(
            self.status, state="starting", process=Identity.of(self.process.pid), note=""
        )

    def check(self) -> None:
        """Asks whether the part is ready by now, and settles it when it is."""
        missing = self.part.ready()
        if missing is None:
            self.part.settle()
            took = time.monotonic() - self.since
            note = self.status.note if self.status.restarts else ""
            self.status = replace(self.status, state="ready", seconds=round(took, 1), note=note)
        elif not self.status.restarts:
            self.status = replace(self.status, note=missing)

    @property
    def overdue(self) -> bool:
        return time.monotonic() - self.since > self.part.seconds

    def exit_code(self) -> int | None:
        return self.process.poll() if self.process else None


class Runner:
    """Starts the parts in order of readiness, keeps them running, stops them in reverse."""

    def __init__(self, site: Site, parts: Sequence[Part]) -> None:
        self.site = site
        self.waves = waves(parts)
        self.plays = {
            part.title: Play(part, site.logs() / part.log_name)
            for wave in self.waves
            for part in wave
        }
        self.phase: Phase = "starting"
        self.message = ""
        self.told_to_stop = False

    def run(self) -> int:
        """Runs until a signal comes or a part fails to start; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "told_to_stop", True))
        try:
            while not self.told_to_stop:
                for play in self.plays.values():
                    self._step(play)
                self._all_up()
                self._report()
                time.sleep(TICK if self.phase == "starting" else CALM_TICK)
        except PartFailedError as failure:
            self.message = str(failure)
            print(f"FAILED: {failure}", flush=True)
        self._stop()
        self.phase = "failed" if self.message else "down"
        self._report()
        return 1 if self.message else 0

    def _step(self, play: Play) -> None:
        match play.status.state:
            case "waiting":
                if all(self.plays[title].status.state == "ready" for title in play.part.needs):
                    self._attempt(play)
            case "starting":
                if not self._died(play):
                    self._wait_for(play)
            case "ready":
                self._died(play)
            case "died" if time.monotonic() >= play.not_before:
                self._attempt(play)

    def _attempt(self, play: Play) -> None:
        try:
            play.begin()
        except Exception as error:
            self._lost(play, f"cannot start: {type(error).__name__}: {error}")

    def _wait_for(self, play: Play) -> None:
        try:
            play.check()
        except Exception as error:
            self._lost(play, f"cannot be set up: {type(error).__name__}: {error}")
            return
        if play.status.state == "ready":
            print(f"{play.part.title} is ready after {play.status.seconds} s", flush=True)
        elif play.overdue and self.phase == "starting":
            raise PartFailedError(
                f"{play.part.title} was not ready after {play.part.seconds:.0f} s: "
                f"{play.status.note}\n  The end of {play.log}:\n{tail(play.log)}"
            )

    def _died(self, play: Play) -> bool:
        code = play.exit_code()
        if code is not None:
            self._lost(play, describe_exit(code))
        return code is not None

    def _lost(self, play: Play, how: str) -> None:
        """A part that dies while the lab starts ends the start; later it comes back."""
        story = f"{how}. The end of {play.log}:\n{tail(play.log)}"
        print(f"{play.part.title} {story}", flush=True)
        if self.phase == "starting":
            raise PartFailedError(f"{play.part.title} {story}")
        if play.process is not None and play.process.poll() is None:
            play.process.kill()
            play.process.wait()
        restarts = play.status.restarts + 1
        pause = 0.0 if restarts == 1 else min(2.0 ** (restarts - 2), LONGEST_PAUSE)
        play.not_before = time.monotonic() + pause
        moment = time.strftime("%H:%M:%S")
        play.status = replace(
            play.status,
            state="died",
            process=None,
            restarts=restarts,
            note=f"at {moment} it {story}",
        )

    def _all_up(self) -> None:
        if self.phase == "starting" and all(
            play.status.state == "ready" for play in self.plays.values()
        ):
            self.phase = "up"
            print("the lab is up", flush=True)

    def _stop(self) -> None:
        self.phase = "stopping"
        self._report()
        for wave in reversed(self.waves):
            plays = [self.plays[part.title] for part in wave]
            stop([play.status.process for play in plays if play.status.process], GRACE)
            for play in plays:
                if play.process is not None:
                    play.process.wait()
                play.status = replace(play.status, state="stopped", process=None)

    def _report(self) -> None:
        report = Report(
            phase=self.phase,
            owner=Identity.of(os.getpid()),
            parts=tuple(play.status for play in self.plays.values()),
            message=self.message,
        )
        if report != getattr(self, "_reported", None):
            state.write(state.supervisor_report(self.site), report)
            self._reported = report


def lock(site: Site) -> TextIOWrapper | None:
    """The lock that a supervisor holds while it lives; None when another one has it."""
    folder = state.run_folder(site)
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _waits(part: Part) -> str:
    return f"waits for {', '.join(sorted(part.needs))}" if part.needs else ""


def main() -> int:
    site = Site.from_environment()
    held = lock(site)
    if held is None:
        print(f"a supervisor already runs the lab in {site.home}", file=sys.stderr)
        return 2
    with held:
        return Runner(site, all_parts(site)).run()


if __name__ == "__main__":
    sys.exit(main())
