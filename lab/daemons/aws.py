"""AWS: moto, and what it lacks."""

from __future__ import annotations

import sys

from lab.daemon import Daemon
from lab.readiness import http_ok
from lab.site import Site

READY = "/lab/ready"


def daemon(site: Site) -> Daemon:
    return Daemon(
        name="aws",
        port=site.port("aws"),
        ready=http_ok(f"{site.url('aws')}{READY}"),
        command=(sys.executable, "-m", "lab.aws_server"),
        variables={"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},  # the policies that every account has
    )
