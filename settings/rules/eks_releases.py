"""Rules about the version of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from settings.eks_releases import RELEASES, versions
from settings.files import stack_file
from settings.parsing import raw_value
from settings.problems import Problem
from settings.speed import SPEEDS


def support(stack: str, config: Mapping[str, Any]) -> Iterator[Problem]:
    """A version that AWS replaces; of the raw `config`, to be reported beside all that is wrong."""
    version = str(raw_value(config, "platform:cluster.version"))
    release, speed = RELEASES.get(version), SPEEDS.get(str(raw_value(config, "platform:speed")))
    if release and speed and not (release.standard or speed.extended_support):
        yield Problem(
            stack_file(stack),
            "platform:cluster.version",
            version,
            f"left standard support on {release.standard_support_ends}, and AWS then upgrades the "
            f"cluster by itself where speed is {speed.name}",
            f"use one of {versions()}, one minor version up at a time",
        )
