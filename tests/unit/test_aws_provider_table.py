"""The AWS types of the lab, as declared: against botocore's models and the SDK itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from lab.aws import SDK_VERSION, requests, shapes
from lab.aws.kinds import KINDS
from lab.aws.lookups import LOOKUPS
from lab.aws.table import Kind, Update

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def operations(kind: Kind) -> Iterator[str]:
    yield from (step.operation for step in kind.updates)
    yield kind.read.operation
    if kind.create:
        yield kind.create
    if kind.delete:
        yield kind.delete
    if kind.siblings:
        yield kind.siblings.operation
    if kind.locate:
        yield kind.locate.operation
    if kind.tagging:
        yield from (kind.tagging.tag, kind.tagging.untag)
        if kind.tagging.read:
            yield kind.tagging.read.operation


@EVERY_KIND
def test_every_operation_of_a_type_exists_in_botocore(kind: Kind) -> None:
    for name in operations(kind):
        assert shapes.operation(kind.service, name), name


@EVERY_KIND
def test_every_question_to_aws_is_one_that_botocore_knows(kind: Kind) -> None:
    tagging = kind.tagging.read if kind.tagging else None
    for read in filter(None, (kind.read, kind.siblings, kind.locate, tagging)):
        request = requests.filled(read.parameters, AnyText())
        assert shapes.problems(kind.service, read.operation, request) == [], read.operation


class AnyText(dict[str, str]):
    """A value for every name that a template may use."""

    def __missing__(self, name: str) -> str:
        return "anything-that-is-long-enough"

    def get(self, name: str, default: object = None) -> str:
        return self[name]


@EVERY_KIND
def test_no_property_that_a_program_may_set_is_ignored(kind: Kind) -> None:
    """Each input reaches a request: the creation's, that of an update or of a type's own step."""
    for row in kind.inputs:
        if row.local or row.name == "region":
            continue
        later = [step for step in kind.updates if row.name in step.sets]
        sent = requests.sent_by_creation(kind, row) or any(
            takes(kind, step, row.name) for step in later
        )
        own_step = row.name == "vpcId" and kind.after_create
        assert sent or own_step, f"{kind.pulumi_type}: {row.name} goes nowhere"


def takes(kind: Kind, step: Update, name: str) -> bool:
    """Whether an update's request has a place for the property, or is switched by it."""
    member = (kind.by_name[name].member or name).split(".")[0]
    named = shapes.member(shapes.request_shape(kind.service, step.operation), member)
    return bool(named or step.compose or name in (step.when, step.unless))


@EVERY_KIND
def test_every_property_is_replaced_or_updated_when_it_changes(kind: Kind) -> None:
    """A difference that no operation carries out would be reported at every preview."""
    updated = {name for step in kind.updates for name in step.sets}
    for row in kind.inputs:
        own_step = row.name == "clientIdLists" and kind.after_update
        carried_out = row.replaces or row.local or row.name in updated or row.name == "tags"
        assert carried_out or own_step, (
            f"{kind.pulumi_type}: nothing happens when {row.name} changes"
        )


@EVERY_KIND
def test_updates_name_properties_of_their_type(kind: Kind) -> None:
    names = {row.name for row in kind.inputs}
    for step in kind.updates:
        assert set(step.sets) <= names


@EVERY_KIND
def test_every_property_is_one_of_the_real_sdk(kind: Kind) -> None:
    inputs, outputs = sdk_properties(kind.pulumi_type)
    assert {row.name for row in kind.inputs} <= inputs
    assert {row.name for row in kind.properties if row.output} <= outputs


@EVERY_KIND
def test_what_the_real_sdk_requires_is_required(kind: Kind) -> None:
    required = {row.name for row in kind.inputs if row.required}
    assert sdk_required(kind.pulumi_type) <= required


def test_the_declared_types_are_those_of_the_locked_sdk() -> None:
    assert sdk_root().joinpath("pulumi-plugin.json").read_text().count(f'"{SDK_VERSION}"') == 1


def test_functions_have_the_names_that_the_sdk_sends() -> None:
    for token in LOOKUPS:
        module, function = token.split(":")[1].split("/")
        folder = sdk_root() if module == "index" else sdk_root() / module
        source = "".join(path.read_text() for path in folder.glob("get_*.py"))
        assert f"'{token}'" in source, function


# --- the SDK, read without importing it: that takes seconds


def sdk_root() -> Path:
    spec = find_spec("pulumi_aws")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def sdk_module(pulumi_type: str) -> ast.Module:
    module = pulumi_type.split(":")[1].split("/", maxsplit=1)[0]
    for path in sorted((sdk_root() / module).glob("*.py")):
        source = path.read_text()
        if f"'{pulumi_type}'" in source:
            return ast.parse(source)
    raise AssertionError(f"pulumi_aws has no {pulumi_type}")


def sdk_class(pulumi_type: str, suffix: str) -> ast.ClassDef:
    return next(
        node
        for node in sdk_module(pulumi_type).body
        if isinstance(node, ast.ClassDef) and node.name.endswith(suffix)
    )


def getters(node: ast.ClassDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    for function in node.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for decorator in function.decorator_list:
            if "pulumi.getter" in ast.unparse(decorator):
                renamed = decorator.keywords if isinstance(decorator, ast.Call) else []
                name = ast.literal_eval(renamed[0].value) if renamed else function.name
                yield str(name), function


def sdk_properties(pulumi_type: str) -> tuple[set[str], set[str]]:
    inputs = {name for name, _ in getters(sdk_class(pulumi_type, "Args"))}
    return inputs, {name for name, _ in getters(sdk_class(pulumi_type, "State"))}


def sdk_required(pulumi_type: str) -> set[str]:
    return {
        name
        for name, function in getters(sdk_class(pulumi_type, "Args"))
        if function.returns is not None and "Optional" not in ast.unparse(function.returns)
    }
