"""The supervisor itself: `python -m lab.runner` runs every part of the lab until told to stop.

It is one thread on purpose: the parts are killed when the thread that started them ends.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Sequence
from io import TextIOWrapper

from lab import state
from lab.assembly import all_parts
from lab.part import Part, waves
from lab.process import Identity, tail
from lab.site import CHECKOUT, Site
from lab.state import Phase, Report
from lab.watched import Watched, end_all

TICK = 0.1
"""Seconds between two looks at the parts while the lab starts."""
CALM_TICK = 0.5
"""The same once it is up."""
GRACE = 8.0
"""Seconds that a wave of parts gets to end by itself."""


class PartFailedError(Exception):
    """A part did not become ready, so nothing is kept running."""


class Runner:
    """Starts the parts in order of readiness, keeps them running, stops them in reverse."""

    def __init__(self, site: Site, parts: Sequence[Part], grace: float = GRACE) -> None:
        self.site = site
        self.grace = grace
        self.waves = waves(parts)
        self.parts = [part for wave in self.waves for part in wave]
        self.watched = {
            part.title: Watched(
                part.title,
                log=site.logs() / part.log_name,
                port=part.port,
                note=", ".join(f"waits for {need}" for need in sorted(part.needs)),
            )
            for part in self.parts
        }
        self.phase: Phase = "starting"
        self.message = ""
        self.told_to_stop = False
        self._reported = Report()

    def run(self) -> int:
        """Runs until a signal comes or a part fails to start; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "told_to_stop", True))
        try:
            while not self.told_to_stop:
                for part in self.parts:
                    self._look_at(part, self.watched[part.title])
                if self.phase == "starting" and all(map(self._ready, self.watched)):
                    self.phase = "up"
                    print("the lab is up", flush=True)
                self._report()
                time.sleep(TICK if self.phase == "starting" else CALM_TICK)
        except PartFailedError as failure:
            self.message = str(failure)
            print(f"FAILED: {failure}", flush=True)
        self._stop()
        self.phase = "failed" if self.message else "down"
        self._report()
        return 1 if self.message else 0

    def _look_at(self, part: Part, watched: Watched) -> None:
        how = watched.ending()
        if how is not None:
            self._lose(watched, how)
        try:
            match watched.status.state:
                case "waiting" if all(map(self._ready, part.needs)):
                    self._start(part, watched)
                case "died" if watched.may_start:
                    self._start(part, watched)
                case "starting":
                    self._ask(part, watched)
        except PartFailedError:
            raise
        except Exception as error:
            self._lose(watched, f"could not start: {type(error).__name__}: {error}")

    def _start(self, part: Part, watched: Watched) -> None:
        part.prepare()
        watched.start(part.command, variables=part.environ(), folder=CHECKOUT)

    def _ask(self, part: Part, watched: Watched) -> None:
        if watched.ask(part.ready):
            print(f"{part.title} is ready after {watched.status.seconds} s", flush=True)
        elif watched.age > part.seconds and self.phase == "starting":
            raise PartFailedError(
                f"{part.title} was not ready after {part.seconds:.0f} s: {watched.status.note}\n"
                f"  The end of {watched.log}:\n{tail(watched.log)}"
            )

    def _lose(self, watched: Watched, how: str) -> None:
        """A part that dies while the lab starts ends the start; later it comes back."""
        story = f"{watched.status.part} {watched.lose(how)}"
        print(story, flush=True)
        if self.phase == "starting":
            raise PartFailedError(story)

    def _ready(self, title: str) -> bool:
        return self.watched[title].status.state == "ready"

    def _stop(self) -> None:
        self.phase = "stopping"
        self._report()
        for wave in reversed(self.waves):
            end_all([self.watched[part.title] for part in wave], self.grace)

    def _report(self) -> None:
        report = Report(
            phase=self.phase,
            owner=Identity.of(os.getpid()),
            parts=tuple(watched.status for watched in self.watched.values()),
            message=self.message,
        )
        if report != self._reported:
            state.write(state.supervisor_report(self.site), report)
            self._reported = report


def lock(site: Site, seconds: float = 0) -> TextIOWrapper | None:
    """The lock that a supervisor holds while it lives; None when another one has it.

    `seconds` is how long to try: whoever only asks whether a lab runs holds it for a moment, too.
    """
    folder = state.run_folder(site)
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w", encoding="utf-8")
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                return None
            time.sleep(TICK)
        else:
            return file


def main() -> int:
    site = Site.from_environment()
    held = lock(site, seconds=2)
    if held is None:
        print(f"a supervisor already runs the lab in {site.home}", file=sys.stderr)
        return 2
    with held:
        return Runner(site, all_parts(site)).run()


if __name__ == "__main__":
    sys.exit(main())
