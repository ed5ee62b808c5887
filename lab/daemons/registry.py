"""The OCI registry in place of ECR's. It reports each pushed tag to moto's ECR."""

from __future__ import annotations

import yaml

from lab.daemon import Daemon
from lab.readiness import http_ok
from lab.site import HOST, Site
from lab.state import write_atomically
from lab.toolchain import Toolchain


def daemon(site: Site, tools: Toolchain) -> Daemon:
    folder = site.home / "registry"
    config = folder / "config.yaml"
    return Daemon(
        name="registry",
        port=site.port("registry"),
        needs=frozenset({"aws"}),
        prepare=lambda: write_atomically(config, yaml.safe_dump(_configuration(site))),
        ready=http_ok(f"{site.url('registry')}/v2/"),
        command=(tools.path("registry"), "serve", config),
        # Without it the registry looks for a collector of traces.
        variables={"OTEL_TRACES_EXPORTER": "none"},
    )


def _configuration(site: Site) -> dict[str, object]:
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(site.home / "registry" / "data")},
            "delete": {"enabled": True},
        },
        "http": {"addr": f"{HOST}:{site.port('registry')}"},
        "notifications": {
            "endpoints": [
                {
                    "name": "ecr",
                    "url": f"{site.url('aws')}/lab/registry-events",
                    "timeout": "5s",
                    "threshold": 3,
                    "backoff": "1s",
                    "ignore": {"actions": ["pull"]},
                }
            ]
        },
    }
