"""IAM's evaluation of policy documents: an explicit denial first, then any allowance.

Follows the IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

Statement: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request for a permission.

    Attributes:
        action: `eks:CreateCluster`.
        resources: the ARNs that the call names; empty when it names none that are known.
        context: the condition keys whose values are known, in lower case.
    """

    action: str
    resources: Sequence[str] = ()
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def value_of(self, key: str) -> Sequence[str] | None:
        """The values of a condition key; empty if the call has none, None if unknown."""
        absent = () if key.lower().startswith(_OF_THE_CALL) else None
        return self.context.get(key.lower(), absent)


_OF_THE_CALL = ("aws:principaltag/", "aws:requesttag/", "aws:tagkeys", "iam:policyarn")
"""Keys whose values are in the call or its session; without them they have none."""


def decision(documents: Iterable[Mapping[str, Any]], request: Request) -> str:
    """`deny`, `allow`, or `none` if no statement matches the request."""
    effects = {
        str(statement["Effect"])
        for document in documents
        for statement in _as_list(document["Statement"])
        if _concerns(statement, request)
    }
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "none"


def _concerns(statement: Statement, request: Request) -> bool:
    return (
        _element(statement, "Action", [request.action.lower()], str.lower)
        and _resource(_filled(statement, request), request)
        and _conditions(statement, request)
    )


def _filled(statement: Statement, request: Request) -> Statement:
    """The statement with the caller's tags in the place of variables in its resources.

    A variable without a value matches nothing (IAM User Guide, "Policy elements: Variables").
    """

    def fill(resource: str) -> str:
        return _VARIABLE.sub(lambda found: _only(request.value_of(found[1])), resource)

    return {
        name: [fill(one) for one in _as_list(value)]
        if name in ("Resource", "NotResource")
        else value
        for name, value in statement.items()
    }


_VARIABLE = re.compile(r"\$\{(aws:PrincipalTag/[^}]+)\}", re.IGNORECASE)
_NOTHING = "\0"


def _only(values: Sequence[str] | None) -> str:
    return values[0] if values else _NOTHING


def _resource(statement: Statement, request: Request) -> bool:
    """Where the call names no resource that is known, an allowance counts and a denial of
    particular resources does not."""
    if not request.resources:
        everything = "*" in _as_list(statement.get("Resource", []))
        return everything or statement["Effect"] == "Allow"
    return _element(statement, "Resource", request.resources, str)


def _element(
    statement: Statement, name: str, values: Sequence[str], fold: Callable[[str], str]
) -> bool:
    """Whether `Action` or `Resource` names one of the values; `Not...` whether it spares one."""
    if (spared := statement.get(f"Not{name}")) is not None:
        patterns = [fold(one) for one in _as_list(spared)]
        return any(not any(like(value, one) for one in patterns) for value in values)
    patterns = [fold(one) for one in _as_list(statement.get(name, []))]
    return any(like(value, one) for value in values for one in patterns)


def _conditions(statement: Statement, request: Request) -> bool:
    """A key with an unknown value is met in an allowance and not met in a denial."""
    unknown = statement["Effect"] == "Allow"
    return all(
        unknown if (values := request.value_of(key)) is None else _met(operator, values, expected)
        for operator, comparisons in statement.get("Condition", {}).items()
        for key, expected in comparisons.items()
    )


def _met(operator: str, values: Sequence[str], expected: Any) -> bool:
    quantifier, _, name = operator.rpartition(":")
    wanted = [_text(one) for one in _as_list(expected)]
    if name.endswith("IfExists") and not values:
        return True
    name = name.removesuffix("IfExists")
    if name == "Null":
        return wanted == (["false"] if values else ["true"])
    if name not in _OPERATORS:
        raise NotImplementedError(f"the lab does not evaluate the condition {operator}")
    negated, compare = _OPERATORS[name]
    if not values:
        return negated or quantifier == "ForAllValues"
    hits = [any(compare(value, one) for one in wanted) is not negated for value in values]
    return all(hits) if quantifier == "ForAllValues" else any(hits)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def like(value: str, pattern: str) -> bool:
    """`*` matches any characters, slashes included, and `?` matches one."""
    return _pattern(pattern).fullmatch(value) is not None


def _same_whatever_case(value: str, other: str) -> bool:
    return value.lower() == other.lower()


_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, str.__eq__),
    "StringNotEquals": (True, str.__eq__),
    "StringEqualsIgnoreCase": (False, _same_whatever_case),
    "StringLike": (False, like),
    "StringNotLike": (True, like),
    "ArnEquals": (False, like),
    "ArnLike": (False, like),
    "ArnNotEquals": (True, like),
    "ArnNotLike": (True, like),
    "Bool": (False, _same_whatever_case),
}
"""Whether an operator negates, and how it compares."""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
