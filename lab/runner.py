"""The supervisor's process: `python -m lab.runner` runs every daemon until a signal stops it.

It has one thread: a daemon is killed when the thread that started it ends.
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
from lab.assembly import all_daemons
from lab.child import Child, stop_all
from lab.daemon import Daemon, start_order
from lab.process import Identity, tail
from lab.site import CHECKOUT, Site
from lab.state import Phase, Report

STARTING_PERIOD = 0.1
"""Seconds between two checks of the daemons while the lab starts."""
RUNNING_PERIOD = 0.5
"""Seconds between two checks once the lab is up."""
GRACE = 8.0
"""Seconds that a group of daemons gets to stop before it is killed."""


class StartFailedError(Exception):
    """A daemon did not become ready; the supervisor stops all of them."""


class Runner:
    """Starts the daemons in the order of their needs, restarts them, stops them in reverse."""

    def __init__(self, site: Site, daemons: Sequence[Daemon], grace: float = GRACE) -> None:
        self.site = site
        self.grace = grace
        self.groups = start_order(daemons)
        self.daemons = [daemon for group in self.groups for daemon in group]
        self.children = {
            daemon.title: Child(
                daemon.title,
                log=site.logs() / daemon.log_name,
                port=daemon.port,
                note=", ".join(f"waits for {need}" for need in sorted(daemon.needs)),
            )
            for daemon in self.daemons
        }
        self.phase: Phase = "starting"
        self.message = ""
        self.stop_requested = False
        self._reported = Report()

    def run(self) -> int:
        """Run until a signal comes or a daemon fails to start; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "stop_requested", True))
        try:
            while not self.stop_requested:
                for daemon in self.daemons:
                    self._reconcile(daemon, self.children[daemon.title])
                if self.phase == "starting" and all(map(self._ready, self.children)):
                    self.phase = "up"
                    print("the lab is up", flush=True)
                self._report()
                time.sleep(STARTING_PERIOD if self.phase == "starting" else RUNNING_PERIOD)
        except StartFailedError as failure:
            self.message = str(failure)
            print(f"FAILED: {failure}", flush=True)
        self._stop()
        self.phase = "failed" if self.message else "down"
        self._report()
        return 1 if self.message else 0

    def _reconcile(self, daemon: Daemon, child: Child) -> None:
        how = child.exit()
        if how is not None:
            self._record_failure(child, how)
        try:
            match child.status.state:
                case "waiting" if all(map(self._ready, daemon.needs)):
                    self._start(daemon, child)
                case "died" if child.may_start:
                    self._start(daemon, child)
                case "starting":
                    self._check(daemon, child)
        except StartFailedError:
            raise
        except Exception as error:
            self._record_failure(child, f"could not start: {type(error).__name__}: {error}")

    def _start(self, daemon: Daemon, child: Child) -> None:
        daemon.prepare()
        child.start(daemon.command, variables=daemon.environ(), folder=CHECKOUT)

    def _check(self, daemon: Daemon, child: Child) -> None:
        if child.check(daemon.ready):
            print(f"{daemon.title} is ready after {child.status.seconds} s", flush=True)
        elif child.age > daemon.seconds and self.phase == "starting":
            raise StartFailedError(
                f"{daemon.title} was not ready after {daemon.seconds:.0f} s: {child.status.note}\n"
                f"  The end of {child.log}:\n{tail(child.log)}"
            )

    def _record_failure(self, child: Child, how: str) -> None:
        """A failure while the lab starts stops the lab; a later one leads to a restart."""
        report = f"{child.status.name} {child.record_failure(how)}"
        print(report, flush=True)
        if self.phase == "starting":
            raise StartFailedError(report)

    def _ready(self, title: str) -> bool:
        return self.children[title].status.state == "ready"

    def _stop(self) -> None:
        self.phase = "stopping"
        self._report()
        for group in reversed(self.groups):
            stop_all([self.children[daemon.title] for daemon in group], self.grace)

    def _report(self) -> None:
        report = Report(
            phase=self.phase,
            owner=Identity.of(os.getpid()),
            daemons=tuple(child.status for child in self.children.values()),
            message=self.message,
        )
        if report != self._reported:
            state.write(state.supervisor_report(self.site), report)
            self._reported = report


def lock(site: Site, seconds: float = 0) -> TextIOWrapper | None:
    """The lock that a supervisor has while it lives; None if another process has it.

    `seconds` is how long to try. `supervisor.running` takes the lock for a moment, too.
    """
    file = (state.make_run_folder(site) / "lock").open("w", encoding="utf-8")
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                return None
            time.sleep(STARTING_PERIOD)
        else:
            return file


def main() -> int:
    site = Site.from_environment()
    lock_file = lock(site, seconds=2)
    if lock_file is None:
        print(f"a supervisor already runs the lab in {site.home}", file=sys.stderr)
        return 2
    with lock_file:
        return Runner(site, all_daemons(site)).run()


if __name__ == "__main__":
    sys.exit(main())
