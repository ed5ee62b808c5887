"""What an EC2 instance type's name says about its processor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

Architecture = Literal["x86_64", "arm64"]
Platform = Literal["linux/amd64", "linux/arm64"]
PLATFORMS: Mapping[Architecture, Platform] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""What images call the processors."""


def architecture(instance_type: str) -> Architecture:
    """The processor of an instance type such as m7g.large.

    A `g` behind the generation's number stands for AWS's own arm64 processors (m7g, c6gn,
    im4gn); the family a1 came before the rule. A `g` in front is a graphics card.
    """
    family = instance_type.partition(".")[0]
    attributes = re.fullmatch(r"[a-z]+\d+([a-z]*)(-.*)?", family)
    graviton = family == "a1" or (attributes is not None and "g" in attributes[1])
    return "arm64" if graviton else "x86_64"


def one_architecture(instance_types: Sequence[str]) -> Sequence[str]:
    """`instance_types`, or ValueError where no one image of the operating system fits all."""
    if len({architecture(name) for name in instance_types}) > 1:
        raise ValueError(
            "mixes arm64 and x86_64 processors; make one node group for each of the two"
        )
    return instance_types
