"""The costs as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tools.costs.parts import BY_USE, Part
from tools.costs.prices import Prices

EXAMPLE = "m7i.large"


def table(environments: Mapping[str, Sequence[Part]], prices: Prices) -> str:
    """A row for each part and a column for each environment, in whole units of the currency."""
    return "\n".join([*_rows(environments, prices), "", _note(prices), ""])


def _rows(environments: Mapping[str, Sequence[Part]], prices: Prices) -> Iterator[str]:
    yield f"| {prices.currency} a month | {' | '.join(environments)} |"
    yield f"| --- |{' ---: |' * len(environments)}"
    names = dict.fromkeys(part.name for parts in environments.values() for part in parts)
    for name in names:
        yield f"| {name} | {' | '.join(_cell(parts, name) for parts in environments.values())} |"
    totals = (f"**{sum(part.monthly for part in parts):.0f}**" for parts in environments.values())
    yield f"| **together** | {' | '.join(totals)} |"


def _cell(parts: Sequence[Part], name: str) -> str:
    return next((f"{part.monthly:.0f} ({part.reason})" for part in parts if part.name == name), "0")


def _under_auto_mode(prices: Prices, share: float) -> float:
    """A node in a month, at that share of its On-Demand price."""
    hourly = prices.instance_hour[EXAMPLE] * (share + prices.auto_mode_share)
    return hourly * prices.hours_a_month


def _note(prices: Prices) -> str:
    return (
        f"List prices of {prices.region}, {prices.date}: {prices.source}. Other regions differ. "
        f"Nodes of node groups are counted at minSize, spot at {prices.spot_share:.0%} of the list "
        f"price. Nodes of Auto Mode follow the pods and are not in it: one {EXAMPLE} costs "
        f"{_under_auto_mode(prices, 1):.0f} there, and "
        f"{_under_auto_mode(prices, prices.spot_share):.0f} on spot. "
        f"Not in it, because it is paid by use: {BY_USE}."
    )
