"""The committed stack files, as they are written."""

from __future__ import annotations

from typing import Any

import yaml

from settings.files import ROOT

CHECKOUT = ROOT


def on_node_groups(config: dict[str, Any]) -> None:
    """Run the cluster of a stack file on a node group, in place of Auto Mode."""
    cluster = config["platform:cluster"]
    for key in ("compute", "pools"):
        cluster.pop(key, None)
    cluster["nodeGroups"] = [
        {
            "name": "general",
            "instanceTypes": ["m7i.large", "m6i.large"],
            "minSize": 2,
            "maxSize": 5,
        }
    ]


def committed(stack: str) -> dict[str, Any]:
    """The configuration in the stack's file."""
    text = (CHECKOUT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    return config
