"""The price list of prices.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, kw_only=True)
class Prices:
    """List prices of one region, in one currency."""

    date: str
    source: str
    region: str
    currency: str
    hours_a_month: int
    spot_share: float
    """What a Spot instance costs of the On-Demand price: an assumption, because it changes."""
    auto_mode_share: float
    """What Auto Mode adds to an instance, of its On-Demand price."""
    hour: Mapping[str, float]
    month: Mapping[str, float]
    instance_hour: Mapping[str, float]

    def monthly(self, what: str) -> float:
        """Of a thing that is paid by the hour."""
        return self.hour[what] * self.hours_a_month


def committed() -> Prices:
    """The list in this folder."""
    return Prices(**json.loads(FILE.read_text(encoding="utf-8")))
