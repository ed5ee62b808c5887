"""Starts, stops and describes a lab: `python -m lab.supervisor start | stop | status`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lab import ports, state
from lab.assembly import all_parts
from lab.process import Identity, tail
from lab.process import stop as stop_processes
from lab.runner import lock
from lab.site import CHECKOUT, Site
from lab.state import PartStatus, Report

POLL = 0.1
GRACE = 45.0
"""Seconds a supervisor gets to stop all its parts."""
REMEDY = "`make down && make up` starts everything again"


class LabError(Exception):
    """The lab did not start; nothing of it runs. The message says which part, and why."""


def start(site: Site, say: Callable[[str], None] = print) -> None:
    """Starts every part of the lab in the background; returns when all of them are ready.

    Progress goes to `say`, a line for each part. A lab that already runs is left as it is.

    Raises:
        PortsTakenError: ports are taken; the message names them all, nothing was started.
        LabError: a part did not come up; the message has the tail of its log, and everything
            that had come up was stopped.
        MissingToolError, SettingsError: what the lab is made of is not there.
    """
    if running(site):
        say(f"The lab in {site.home} is already running.")
        return
    stop(site)
    ports.require_free(site)
    all_parts(site)  # a missing tool or a wrong setting is told here, and not in a log
    began = time.monotonic()
    _await_start(site, _detach(site), say)
    say(f"The lab is up after {time.monotonic() - began:.0f} s; logs are in {site.logs()}.")


def stop(site: Site) -> None:
    """Stops everything that belongs to the lab, also when its supervisor was killed.

    Processes are known by number and start time, so a stranger's is never touched. Does nothing
    when nothing runs.
    """
    reports = list(state.everything(site))
    supervisor = reports[0].owner
    if supervisor:
        stop_processes([supervisor], GRACE)
    # After an orderly stop none of these is left.
    reports += state.everything(site)
    stop_processes(_identities(reports), seconds=5)
    for path in state.run_folder(site).glob("*.json"):
        path.unlink()


def status(site: Site) -> list[PartStatus]:
    """Every part and its state, process and port; the processes of the pods at the end.

    Empty when the lab was never started or was stopped. The note of a part that died says how,
    what its log says and what to do.
    """
    parts = [part.checked() for report in state.everything(site) for part in report.parts]
    return [_with_remedy(part) for part in parts]


def running(site: Site) -> bool:
    """Whether a supervisor looks after this lab."""
    held = lock(site)
    if held is None:
        return True
    held.close()
    return False


def _detach(site: Site) -> subprocess.Popen[bytes]:
    """The supervisor as a process of its own, in a session of its own."""
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
    """The environment variables from which `Site.from_environment` makes this site again."""
    return {"LAB_HOME": str(site.home), "LAB_PORT_BASE": str(site.port_base)}


def _await_start(
    site: Site, supervisor: subprocess.Popen[bytes], say: Callable[[str], None]
) -> None:
    told: set[str] = set()
    try:
        while True:
            code = supervisor.poll()
            report = state.read(state.supervisor_report(site))
            ours = report.owner is not None and report.owner.pid == supervisor.pid
            for part in report.parts if ours else ():
                if part.state == "ready" and part.part not in told:
                    told.add(part.part)
                    say(f"  {part.part:<24} ready after {part.seconds:>5} s")
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
    return f"The lab did not start, and nothing of it was left running: {reason}"


def _identities(reports: list[Report]) -> set[Identity]:
    parts = (part.process for report in reports for part in report.parts)
    owners = (report.owner for report in reports)
    return {process for process in (*parts, *owners) if process}


def _with_remedy(part: PartStatus) -> PartStatus:
    if part.restarts and part.state in ("died", "starting"):
        return replace(part, note=f"{part.note}\n  It is being started again; {REMEDY}.")
    if part.state == "stopped":
        gone = f"its process is gone. The end of {part.log}:\n{tail(Path(part.log))}"
        return replace(part, note=f"{part.note or gone}\n  {REMEDY}.")
    return part


def _print_status(site: Site) -> int:
    parts = status(site)
    for part in parts:
        again = f"  restarted {part.restarts}x" if part.restarts else ""
        print(f"{part.part:<32} {part.state:<9} {part.pid or '-':>8} {part.port or '-':>6}{again}")
        if part.note:
            print(f"  {part.note}")
    if not parts:
        print(f"No lab runs in {site.home}.")
    return 0 if parts and all(part.state == "ready" for part in parts) else 1


def main(arguments: list[str]) -> int:
    site = Site.from_environment()
    match arguments:
        case ["start"]:
            start(site)
        case ["stop"]:
            stop(site)
        case ["status"]:
            return _print_status(site)
        case _:
            print("usage: python -m lab.supervisor start | stop | status", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (LabError, ports.PortsTakenError) as error:
        sys.exit(f"error: {error}")
