"""The AWS provider of the lab: Pulumi's provider protocol in front of moto and botocore's models.

`kinds/` declares every resource type as data, `resources.py` interprets the declarations, `api.py`
checks and makes the calls, `beyond_moto/` answers for what moto lacks, `plugin.py` speaks gRPC.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from lab.pulumi_hosts import write_launcher
from lab.site import CHECKOUT

SDK_VERSION = "7.51.1"
"""Of pulumi_aws: the engine looks for a plugin of exactly this version."""


def install(pulumi_home: Path) -> Path:
    """Writes the plugin where a Pulumi CLI with this PULUMI_HOME finds it; returns its folder."""
    plugin = pulumi_home / "plugins" / f"resource-aws-v{SDK_VERSION}"
    plugin.mkdir(parents=True, exist_ok=True)
    command = (
        f"env PYTHONPATH={shlex.quote(str(CHECKOUT))} "
        f'{shlex.quote(sys.executable)} -m lab.aws.plugin "$@"'
    )
    write_launcher(plugin / "pulumi-resource-aws", command)
    return plugin
