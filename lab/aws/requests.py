"""The rows of the table turned into AWS requests, and AWS's descriptions into properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath

from lab.aws import shapes
from lab.aws.differences import agrees, same
from lab.aws.table import Kind, Property, Update, Values
from lab.aws.wire import has_unknown

NOT_SENT = ("region", "tags")
"""The client knows the region; tags are sent in each service's own way."""


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with every `"{name}"` replaced; members without a value are left out."""
    if isinstance(template, Mapping):
        pairs = {name: filled(item, values) for name, item in template.items()}
        return {name: item for name, item in pairs.items() if item is not None}
    if isinstance(template, list | tuple):
        return [filled(item, values) for item in template]
    if not isinstance(template, str) or "{" not in template:
        return template
    if template.count("{") == 1 and template.startswith("{") and template.endswith("}"):
        return values.get(template[1:-1])
    return template.format_map(values)


def accepted(service: str, operation: str, address: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an address that the operation has members for."""
    shape = shapes.request_shape(service, operation)
    return {name: item for name, item in address.items() if shapes.member(shape, name)}


def sent_by_creation(kind: Kind, row: Property) -> bool:
    """Whether the creating operation takes the property."""
    if row.composed or row.name in NOT_SENT:
        return True
    if row.local or row.output or not kind.create:
        return False
    head = (row.member or row.name).split(".")[0]
    return shapes.member(shapes.request_shape(kind.service, kind.create), head) is not None


def creation(kind: Kind, inputs: Values, context: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the creating call; what is not known yet is left out."""
    shape = shapes.request_shape(kind.service, kind.create)
    request: dict[str, Any] = filled(kind.fixed, context)
    for row in kind.inputs:
        if row.name not in NOT_SENT and not row.local:
            _place(request, shape, row, inputs.get(row.name))
    if kind.compose:
        request |= kind.compose(_known(inputs))
    tags = inputs.get("tags")
    if kind.tagging and tags and not has_unknown(tags):
        if kind.tagging.specification:
            pairs = [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
            specification = {"ResourceType": kind.tagging.specification, "Tags": pairs}
            request["TagSpecifications"] = [specification]
        else:
            shapes.place(request, shape, "tags", tags)
    return request


def update(kind: Kind, step: Update, names: list[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an update that sets the named properties."""
    shape = shapes.request_shape(kind.service, step.operation)
    request: dict[str, Any] = filled(
        {**accepted(kind.service, step.operation, kind.address), **step.parameters}, values
    )
    for name in names:
        _place(request, shape, kind.by_name[name], values.get(name))
    return {**request, **step.compose(dict(values))} if step.compose else request


def _known(values: Values) -> Values:
    return {name: value for name, value in values.items() if not has_unknown(value)}


def _place(request: dict[str, Any], shape: Any, row: Property, value: Any) -> None:
    if value is None or row.composed or has_unknown(value):
        return
    shapes.place(request, shape, row.member or row.name, row.write(value) if row.write else value)


def state(kind: Kind, description: Values, declared: Values, context: Mapping[str, Any]) -> Values:
    """The properties of a resource as AWS describes it, in the program's own notation where
    both mean the same."""
    readable = shapes.seen(description)
    result: Values = {}
    for row in kind.properties:
        wanted = declared.get(row.name)
        if row.local:
            result[row.name] = wanted
        elif row.name == "region":
            result[row.name] = context["region"]
        else:
            observed = _observed(kind, row, description, readable, context)
            result[row.name] = _in_words_of(row, wanted, observed)
    return {name: value for name, value in result.items() if value is not None}


def _observed(
    kind: Kind,
    row: Property,
    description: Values,
    readable: Values,
    context: Mapping[str, Any],
) -> Any:
    if "{" in row.seen and row.seen.startswith("="):
        return filled(row.seen[1:], {**context, **readable})
    value = jmespath.search(
        row.seen or row.member or row.name, description if row.verbatim else readable
    )
    if value is None and row.name in kind.identity:
        return context[row.name]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _in_words_of(row: Property, declared: Any, observed: Any) -> Any:
    if declared is None or not matches(row, declared, observed):
        return observed
    if isinstance(declared, dict) and isinstance(observed, dict) and not row.verbatim:
        return {**observed, **declared}
    return declared


def matches(row: Property, declared: Any, observed: Any) -> bool:
    """Whether AWS shows what was declared: exactly for the user's own maps, else at least."""
    if row.verbatim:
        return same(row, observed, declared)
    return agrees(row, declared, observed)


def inputs_of(kind: Kind, observed: Values, declared: Values | None) -> Values:
    """The inputs that would declare a resource as it is; None: it was never declared."""
    if declared is None:
        rows = [row for row in kind.inputs if observed.get(row.name) not in (None, "", [], {})]
        found = {row.name: observed[row.name] for row in rows}
        defaults = {row.name: row.default for row in kind.inputs if row.default is not None}
        return {**defaults, **found}
    return {
        name: value if matches(kind.by_name[name], value, observed.get(name)) else observed[name]
        for name, value in declared.items()
        if name in kind.by_name and (kind.by_name[name].local or name in observed)
    } | _appeared(kind, observed, declared)


def _appeared(kind: Kind, observed: Values, declared: Values) -> Values:
    """What somebody added by hand where the program declares nothing."""
    rows = (row for row in kind.inputs if not row.computed and not row.local)
    return {
        row.name: observed[row.name]
        for row in rows
        if row.name not in declared and observed.get(row.name) not in (None, "", [], {}, False)
    }
