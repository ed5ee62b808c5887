"""Labels and taints of nodes: what Kubernetes and EKS accept of them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from settings.model import Matching

_NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?"
_DOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
RESERVED = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/", "karpenter.sh/")
"""EKS refuses a label that has one of these in its key."""


def _not_reserved(key: str) -> str:
    if found := [part for part in RESERVED if part in key]:
        raise ValueError(f"has {found[0]}, which EKS keeps to itself; take a prefix of your own")
    return key


_Key = Annotated[
    str,
    Matching(
        rf"(?=.{{1,63}}$)({_DOMAIN}/)?{_NAME}",
        "must be a Kubernetes key of 63 characters at most, its prefix included, such as pool or "
        "acme.example/pool",
    ),
]
LabelKey = Annotated[_Key, AfterValidator(_not_reserved)]
LabelValue = Annotated[
    str,
    Matching(
        rf"(?=.{{1,63}}$){_NAME}",
        "must be 1 to 63 letters, digits, hyphens, dots or underscores, with a letter or digit at "
        "both ends",
    ),
]
TaintKey = _Key
TaintValue = Annotated[
    str,
    Matching(
        rf"(?=.{{0,63}}$)({_NAME})?",
        "must be 63 letters, digits, hyphens, dots or underscores at most, with a letter or digit "
        "at both ends",
    ),
]
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


def named_as_types(names: list[str]) -> list[str]:
    """`names`, or ValueError where one of them cannot be the name of an EC2 instance type."""
    if wrong := [name for name in names if not _INSTANCE_TYPE.fullmatch(name)]:
        raise ValueError(
            f"names {wrong[0]}, which is no EC2 instance type; write it as in m7i.large"
        )
    return names
