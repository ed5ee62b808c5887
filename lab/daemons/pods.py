"""The process kubelet, which runs the real Argo CD and Keel once their workloads exist."""

from __future__ import annotations

import sys

from lab import state
from lab.daemon import Daemon, title
from lab.programs import PYTHON, programs
from lab.readiness import exists
from lab.site import Site
from lab.toolchain import Toolchain


def daemon(site: Site, environment: str, tools: Toolchain) -> Daemon:
    report = state.processes_report(site, environment)
    for program in programs(site, environment).values():
        if program.tool != PYTHON:
            tools.path(program.tool)  # reports a missing program before the lab starts
    return Daemon(
        name="process-kubelet",
        environment=environment,
        needs=frozenset({title("apiserver", environment)}),
        prepare=lambda: report.unlink(missing_ok=True),
        ready=exists(report),
        command=(sys.executable, "-m", "lab.process_kubelet", environment),
    )
