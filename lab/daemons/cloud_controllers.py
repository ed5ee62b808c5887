"""The controllers of AWS's own in a cluster, and its load balancer."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.daemon import Daemon, title
from lab.readiness import exists
from lab.site import Site
from lab.state import run_folder


def daemon(site: Site, environment: str) -> Daemon:
    return Daemon(
        name="cloud-controllers",
        environment=environment,
        needs=frozenset({title("apiserver", environment), title("aws")}),
        prepare=lambda: marker(site, environment).unlink(missing_ok=True),
        ready=exists(marker(site, environment)),
        command=(sys.executable, "-m", "lab.cloud_controllers", environment),
    )


def marker(site: Site, environment: str) -> Path:
    """The file that says that the controllers run."""
    return run_folder(site) / f"cloud-controllers-{environment}"
