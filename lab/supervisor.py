"""Starts and stops the supervisor of a lab, and reads what it reports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lab import ports, state
from lab.assembly import all_daemons
from lab.process import Identity, tail
from lab.process import stop as stop_processes
from lab.runner import lock
from lab.site import CHECKOUT, Site
from lab.state import DaemonStatus, Report
from settings.problems import UserError

POLL = 0.1
GRACE = 45.0
"""Seconds that a supervisor gets to stop all its daemons."""
REMEDY = "`make down && make up` starts everything again"


class LabError(UserError):
    """The lab did not start, and nothing of it runs. The message names the daemon and the cause."""


def start(site: Site, say: Callable[[str], None] = print) -> None:
    """Start every daemon of the lab in the background; returns when all of them are ready.

    `say` gets a line for each daemon. A lab that already runs is left as it is.

    Raises:
        PortsTakenError: ports are taken; the message names all of them. Nothing was started.
        LabError: a daemon did not become ready; the message has the end of its log. The others
            were stopped.
        MissingToolError: a program is not built.
        SettingsError: the configuration is wrong.
    """
    if running(site):
        say(f"The lab in {site.home} is already running.")
        return
    stop(site)
    ports.require_free(site)
    all_daemons(site)  # reports a missing program or a wrong setting here, not in a log
    began = time.monotonic()
    _await_start(site, _detach(site), say)
    say(f"The lab is up after {time.monotonic() - began:.0f} s; logs are in {site.logs()}.")


def stop(site: Site) -> None:
    """Stop every process of the lab, also after its supervisor was killed.

    A process is identified by its number and its start time, so no other process is ever stopped.
    """
    reports = list(state.everything(site))
    supervisor = reports[0].owner
    if supervisor:
        stop_processes([supervisor], GRACE)
    # A supervisor that was not killed has stopped all of these.
    reports += state.everything(site)
    stop_processes(_identities(reports), seconds=5)
    for path in state.run_folder(site).glob("*.json"):
        path.unlink()


def status(site: Site) -> list[DaemonStatus]:
    """The state of every daemon, and after them of the pods' processes.

    Empty if the lab is stopped. The note of a daemon that died has its exit, the end of its log and
    the remedy.
    """
    daemons = [daemon.checked() for report in state.everything(site) for daemon in report.daemons]
    return [_with_remedy(daemon) for daemon in daemons]


def running(site: Site) -> bool:
    """Whether this lab has a living supervisor; leaves no trace where there never was one."""
    if not state.run_folder(site).exists():
        return False
    lock_file = lock(site)
    if lock_file is None:
        return True
    lock_file.close()
    return False


def _detach(site: Site) -> subprocess.Popen[bytes]:
    """Start the supervisor's process, in a session of its own."""
    log = site.logs() / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for old in log.parent.glob("*.log"):
        old.unlink()
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "lab.runner"],
            cwd=CHECKOUT,
            env={**os.environ, **site_variables(site)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def site_variables(site: Site) -> dict[str, str]:
    """The environment variables from which `Site.from_environment` makes this site."""
    return {"LAB_HOME": str(site.home), "LAB_PORT_BASE": str(site.port_base)}


def _await_start(
    site: Site, supervisor: subprocess.Popen[bytes], say: Callable[[str], None]
) -> None:
    announced: set[str] = set()
    try:
        while True:
            code = supervisor.poll()
            report = state.read(state.supervisor_report(site))
            ours = report.owner is not None and report.owner.pid == supervisor.pid
            for daemon in report.daemons if ours else ():
                if daemon.state == "ready" and daemon.name not in announced:
                    announced.add(daemon.name)
                    say(f"  {daemon.name:<24} ready after {daemon.seconds:>5} s")
            if code is not None:
                raise LabError(_why(site, report if ours else Report()))
            if ours and report.phase == "up":
                return
            time.sleep(POLL)
    except BaseException:
        stop(site)
        raise


def _why(site: Site, report: Report) -> str:
    log = site.logs() / "supervisor.log"
    reason = report.message or f"the supervisor ended. The end of {log}:\n{tail(log)}"
    return f"The lab did not start, and nothing of it runs: {reason}"


def _identities(reports: list[Report]) -> set[Identity]:
    daemons = (daemon.process for report in reports for daemon in report.daemons)
    owners = (report.owner for report in reports)
    return {process for process in (*daemons, *owners) if process}


def _with_remedy(daemon: DaemonStatus) -> DaemonStatus:
    if daemon.restarts and daemon.state in ("died", "starting"):
        return replace(daemon, note=f"{daemon.note}\n  It is being restarted; {REMEDY}.")
    if daemon.state == "stopped":
        gone = f"its process is gone. The end of {daemon.log}:\n{tail(Path(daemon.log))}"
        return replace(daemon, note=f"{daemon.note or gone}\n  {REMEDY}.")
    return daemon
