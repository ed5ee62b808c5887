"""Amounts of CPU and memory, as Kubernetes writes them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from settings.model import Matching

_FACTORS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}
_NUMBER = r"(?=.*[1-9])\d+(\.\d{1,3})?"


def _as_text(value: object) -> object:
    """A number that YAML has read, as it was written."""
    return str(value) if isinstance(value, int | float) else value


Cpu = Annotated[
    str,
    Matching(rf"{_NUMBER}m?", "must be an amount of CPU such as 250m, 0.5 or 2"),
    BeforeValidator(_as_text, json_schema_input_type=str | int | float),
]
Size = Annotated[
    str,
    # Without a unit it would be bytes, and with m a thousandth of one.
    Matching(rf"{_NUMBER}([KMGT]i|[kMGT])", "must be an amount with a unit such as 256Mi or 1.5Gi"),
]


def amount(quantity: str) -> Decimal:
    """The value of a quantity, in cores or bytes."""
    found = re.fullmatch(r"([\d.]+)(\w*)", quantity)
    if not found:
        raise ValueError(f"{quantity!r} is no amount")
    return Decimal(found[1]) * _FACTORS[found[2]]
