"""The supervisor with small real processes: nothing half started, nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from lab import state, supervisor
from lab.daemon import Daemon
from lab.process import Identity
from lab.readiness import exists
from lab.runner import Runner
from lab.site import Site
from lab.state import DaemonStatus, Report

pytestmark = pytest.mark.timeout(60)

LIVES = "import sys, time, pathlib; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
DIES = "import sys; sys.exit('the disk is full')"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES
HANGS = "import time; time.sleep(600)"


def run(site: Site, programs: dict[str, str], seconds: float = 30) -> None:
    """A supervisor over daemons that are small Python programs, each needing the one before."""
    daemons, before = [], frozenset[str]()
    for name, program in programs.items():
        mark = site.home / f"{name}.ready"
        daemons.append(
            Daemon(
                name=name,
                command=(sys.executable, "-c", program, mark),
                needs=before,
                ready=exists(mark),
                seconds=seconds,
            )
        )
        before = frozenset({name})
    raise SystemExit(Runner(site, daemons, grace=1).run())


class Lab:
    """A supervisor in a process of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.process: BaseProcess | None = None

    def start(self, programs: dict[str, str], seconds: float = 30) -> None:
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=run, args=(self.site, programs, seconds))
        self.process.start()

    def report(self) -> Report:
        return state.read(state.supervisor_report(self.site))

    def daemon(self, name: str) -> DaemonStatus:
        return next(daemon for daemon in self.report().daemons if daemon.name == name)

    def ended(self) -> int | None:
        """The supervisor's exit code."""
        assert self.process is not None
        self.process.join(30)
        return self.process.exitcode


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(Site(home=tmp_path, port_base=21000))
    yield lab
    supervisor.stop(lab.site)
    if lab.process:
        lab.process.join(10)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def identities(report: Report) -> list[Identity]:
    return [daemon.process for daemon in report.daemons if daemon.process]


def test_daemons_start_in_order_and_stop_when_told(lab: Lab) -> None:
    lab.start({"first": LIVES, "second": LIVES})
    until(lambda: lab.report().phase == "up")
    running = identities(lab.report())
    assert all(process.alive() for process in running)
    assert running[0].started <= running[1].started

    supervisor.stop(lab.site)

    assert lab.ended() == 0
    assert not any(process.alive() for process in running)
    assert supervisor.status(lab.site) == []


def test_a_daemon_that_dies_at_the_start_is_named_and_nothing_stays(lab: Lab) -> None:
    lab.start({"first": LIVES, "second": DIES, "third": LIVES})

    assert lab.ended() == 1
    report = lab.report()
    assert report.phase == "failed"
    assert report.message.startswith("second exited with code 1")
    assert "the disk is full" in report.message, "the tail of its log is missing"
    assert identities(report) == []
    assert not (lab.site.home / "third.ready").exists(), "a daemon started after the failure"


def test_a_daemon_that_is_never_ready_is_named_with_what_was_missing(lab: Lab) -> None:
    lab.start({"first": LIVES, "second": HANGS}, seconds=1)

    assert lab.ended() == 1
    message = lab.report().message
    assert message.startswith("second was not ready after 1 s")
    assert "second.ready is not written yet" in message


def test_a_daemon_that_dies_later_comes_back_and_the_others_stay(lab: Lab) -> None:
    lab.start({"first": LIVES, "second": LIVES})
    until(lambda: lab.report().phase == "up")
    first, second = identities(lab.report())

    second.signal(signal.SIGKILL)
    until(lambda: lab.daemon("second").restarts == 1 and lab.daemon("second").state == "ready")

    assert lab.daemon("second").process != second
    assert "was killed by SIGKILL" in lab.daemon("second").note
    assert lab.daemon("first").process == first


def test_nothing_survives_a_killed_supervisor(lab: Lab) -> None:
    lab.start({"first": LIVES, "second": DEAF})
    until(lambda: lab.report().phase == "up")
    running = identities(lab.report())
    assert lab.process is not None
    assert lab.process.pid is not None

    os.kill(lab.process.pid, signal.SIGKILL)

    until(lambda: not any(process.alive() for process in running), seconds=5)
    assert {daemon.state for daemon in supervisor.status(lab.site)} == {"stopped"}


def test_what_ignores_a_polite_request_is_killed(lab: Lab) -> None:
    lab.start({"deaf": DEAF})
    until(lambda: lab.report().phase == "up")
    (deaf,) = identities(lab.report())

    supervisor.stop(lab.site)

    assert not deaf.alive()
