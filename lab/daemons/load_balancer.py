"""The load balancer controller of a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.daemon import Daemon, title
from lab.readiness import exists
from lab.site import Site
from lab.state import run_folder


def daemon(site: Site, environment: str) -> Daemon:
    return Daemon(
        name="load-balancer",
        environment=environment,
        needs=frozenset({title("apiserver", environment)}),
        prepare=lambda: marker(site, environment).unlink(missing_ok=True),
        ready=exists(marker(site, environment)),
        command=(sys.executable, "-m", "lab.load_balancer", environment),
    )


def marker(site: Site, environment: str) -> Path:
    """The file that says that the controller runs."""
    return run_folder(site) / f"load-balancer-{environment}"
