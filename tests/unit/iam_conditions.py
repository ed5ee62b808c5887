"""Whether a trust policy admits a token: IAM's comparison of conditions, on plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping


def admits(trust_policy: str, claims: Mapping[str, str]) -> bool:
    """Whether a token with `claims` (keys as in conditions: `<issuer>:sub`) takes on the role."""
    return any(
        statement["Effect"] == "Allow" and _meets(statement["Condition"], claims)
        for statement in json.loads(trust_policy)["Statement"]
    )


def _meets(
    condition: Mapping[str, Mapping[str, str | list[str]]], claims: Mapping[str, str]
) -> bool:
    """All keys have to agree; of several values for one key, one."""
    return all(
        key in claims
        and any(
            _OPERATORS[operator](claims[key], value)
            for value in ([expected] if isinstance(expected, str) else expected)
        )
        for operator, comparisons in condition.items()
        for key, expected in comparisons.items()
    )


def _like(value: str, pattern: str) -> bool:
    """`*` stands for any characters, slashes among them, and `?` for one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


_OPERATORS = {"StringEquals": str.__eq__, "StringLike": _like}
