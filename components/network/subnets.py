"""How one range of addresses is divided among the zones of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

ZONES = "abcdef"
"""Every letter that AWS gives to a zone. Each has its place, used or not."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One availability zone's share of the network."""

    letter: str
    private: IPv4Network
    """An eighth of the range: nodes and pods."""
    public: IPv4Network
    """A thirty-second of the range: load balancers and ways out."""


def divide(cidr: IPv4Network, letters: Sequence[str]) -> tuple[Zone, ...]:
    """The subnets of each zone in `letters`, in their order.

    The first six eighths of `cidr` are private, one for each possible zone; the last quarter
    holds the public ones. A zone's place depends on its letter alone, so adding, dropping or
    reordering zones never moves the subnets of another.
    """
    private = list(cidr.subnets(prefixlen_diff=3))
    last_quarter = list(cidr.subnets(prefixlen_diff=2))[-1]
    public = list(last_quarter.subnets(prefixlen_diff=3))
    places = [(letter, ZONES.index(letter)) for letter in letters]
    return tuple(
        Zone(letter=letter, private=private[place], public=public[place])
        for letter, place in places
    )
