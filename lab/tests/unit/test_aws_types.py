"""What the lab's AWS provider serves, against what the program uses of AWS."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from importlib.metadata import version

import pulumi_aws
import pytest

from lab.toolchain.cache import MODULES
from lab.toolchain.tools import TOOLS
from tests.unit.whole_program import record_program

CHECKOUT = MODULES.parents[1]
AWS = MODULES / "aws"
TABLE = json.loads((AWS / "types.json").read_text(encoding="utf-8"))
MISSING = (AWS / "missing.txt").read_text(encoding="utf-8").strip()
PROVIDER = next(tool for tool in TOOLS if tool.name == "pulumi-resource-aws")


def test_every_type_and_function_of_the_program_is_in_the_table() -> None:
    resources, functions = written()
    for stack in ("dev", "prod"):
        program = record_program(stack, CHECKOUT, CHECKOUT / "__main__.py")
        resources |= {one.type for one in program.resources if one.type.startswith("aws:")}
        functions |= {one.token for one in program.calls if one.token.startswith("aws:")}
    used = [("resources", token) for token in resources]
    used += [("functions", token) for token in functions]
    missing = [
        MISSING.replace("{token}", token).replace("{section}", section)
        for section, token in sorted(used)
        if token not in TABLE[section]
    ]
    assert not missing, "\n".join(missing)


def test_the_table_has_nothing_that_the_program_does_not_use() -> None:
    resources, functions = written()
    assert set(TABLE["resources"]) - resources == set(), "each costs every first build its time"
    assert set(TABLE["functions"]) - functions == set()


def test_what_is_missing_is_told_with_the_file_the_line_and_the_command() -> None:
    told = MISSING.replace("{token}", "aws:sqs/queue:Queue").replace("{section}", "resources")
    assert told == (
        "aws:sqs/queue:Queue is not among the types that the lab's AWS provider serves. "
        'Add to "resources" in lab/toolchain/aws/types.json the line  '
        '"aws:sqs/queue:Queue": "aws_…"  with its name in the Terraform AWS provider '
        "(for aws:eks/cluster:Cluster that is aws_eks_cluster), "
        "and run: python -m lab.toolchain build"
    )


def test_what_is_set_otherwise_is_set_for_types_of_the_table() -> None:
    source_code = (AWS / "differences.go").read_text(encoding="utf-8")
    named = set(re.findall(r'"(aws_\w+)":', source_code))
    assert named
    assert named - {*TABLE["resources"].values(), *TABLE["functions"].values()} == set()


@pytest.mark.parametrize("section", ["resources", "functions"])
def test_the_table_is_in_order(section: str) -> None:
    assert list(TABLE[section]) == sorted(TABLE[section])


def test_the_provider_has_the_version_of_the_sdk() -> None:
    assert PROVIDER.release == version("pulumi-aws")


# --- what the source says, also where no committed stack file leads to it


def written() -> tuple[set[str], set[str]]:
    """The resource types and the functions that stand in the program's source."""
    resources, functions = set(), set()
    for file in (CHECKOUT / "__main__.py", *(CHECKOUT / "components").rglob("*.py")):
        for path in attributes(ast.parse(file.read_text(encoding="utf-8"))):
            found = in_sdk(path)
            if inspect.isclass(found):
                resources.add(getattr(found, "pulumi_type", ""))
            elif inspect.isfunction(found):
                functions |= set(re.findall(r"invoke(?:_output)?\('(aws:\S+)'", source(found)))
    return resources - {""}, functions


def attributes(tree: ast.Module) -> Iterator[list[str]]:
    """What is taken out of `pulumi_aws as aws`: `aws.ec2.Vpc` as ["ec2", "Vpc"]."""
    for node in ast.walk(tree):
        dotted = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if re.fullmatch(r"aws(\.\w+)+", dotted):
            yield dotted.split(".")[1:]


def in_sdk(path: list[str]) -> object:
    found: object = pulumi_aws
    for name in path:
        found = getattr(found, name, None)
    return found


def source(function: object) -> str:
    return inspect.getsource(inspect.unwrap(function))  # type: ignore[arg-type]
