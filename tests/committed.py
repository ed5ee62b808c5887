"""The committed stack files, as they are written."""

from __future__ import annotations

from typing import Any

import yaml

from settings.files import ROOT

CHECKOUT = ROOT


def committed(stack: str) -> dict[str, Any]:
    """The configuration in the stack's file."""
    text = (CHECKOUT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text)["config"]
    return config
