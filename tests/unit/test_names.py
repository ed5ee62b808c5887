"""What has a name in AWS is named by the program, so that a killed run leaves no twin."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from settings.naming import Names
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.recording import Recorded, Recording
from tests.unit.whole_program import record_program

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
REPLACING = ("amiType", "capacityType", "clusterName", "instanceTypes", "nodeRoleArn", "subnetIds")
"""The inputs of a node group that AWS cannot change."""
LONGEST = "x" * 63
ARM = {"processor": "arm64"}


def program(stack: str, root: Path) -> Recording:
    return record_program(stack, root, CHECKOUT / "__main__.py")


def name_arguments(type_: str) -> list[str]:
    """The arguments that Pulumi's provider fills with a random name where they are left out."""
    _, module, name = type_.split(":")
    package = importlib.import_module(f"pulumi_aws.{module.partition('/')[0]}")
    arguments = inspect.signature(getattr(package, name)._internal_init).parameters
    return [a for a in arguments if a == "name" or f"{a}_prefix" in arguments]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_that_can_have_a_name_has_one(stack: str) -> None:
    named: set[str] = set()
    for resource in program(stack, CHECKOUT).resources:
        if resource.type.startswith("aws:"):
            for argument in name_arguments(resource.type):
                key = "nodeGroupName" if argument == "node_group_name" else argument
                assert resource.inputs.get(key), f"{resource.name} has no {key}"
                named.add(resource.type)

    assert "aws:iam/role:Role" in named
    assert stack == "dev" or {NODE_GROUP, TEMPLATE} <= named


def group(root: Path) -> Recorded:
    return program("prod", root).one(NODE_GROUP)


def test_an_environment_that_is_up_keeps_its_generated_names() -> None:
    recording = program("prod", CHECKOUT)

    assert "nodeGroupName" in recording.one(NODE_GROUP).ignore_changes
    assert "name" in recording.one(TEMPLATE).ignore_changes


def test_new_nodes_come_before_the_old_ones_go() -> None:
    """Where a name is given, the provider would delete first."""
    assert group(CHECKOUT).delete_before_replace is False


CHANGES: Mapping[str, tuple[bool, Mapping[str, Any]]] = {
    "larger nodes": (True, {"instanceTypes": ["m7i.2xlarge"]}),
    "the same types in another order": (True, {"instanceTypes": ["m6i.xlarge", "m7i.xlarge"]}),
    "another processor": (True, {"instanceTypes": ["m7g.large"]}),
    "spot": (True, {"capacity": "spot"}),
    "more nodes": (False, {"minSize": 4, "maxSize": 10}),
    "larger disks": (False, {"diskGib": 80}),
    "labels": (False, {"labels": {"pool": "a"}}),
    "a release": (False, {"release": "1.35.2-20260710"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_node_groups_name_changes_when_it_is_replaced_and_only_then(
    change: tuple[bool, Mapping[str, Any]],
    configuration: Path,
    bend: Bend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replaced, keys = change
    before = group(CHECKOUT)
    monkeypatch.setattr("settings.pulumi_config.ROOT", configuration)
    bend("Pulumi.prod.yaml", lambda c: c["platform:cluster"]["nodeGroups"][0].update(keys))
    if change is CHANGES["another processor"]:  # every environment has nodes of one
        bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"]["pools"][0].update(ARM))

    after = group(configuration)

    differs = [key for key in REPLACING if before.inputs[key] != after.inputs[key]]
    assert bool(differs) is replaced, differs
    assert (before.inputs["nodeGroupName"] != after.inputs["nodeGroupName"]) is replaced


def test_a_third_zone_renames_the_node_group(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: c["platform:network"].update(zones=["a", "b"]))

    before, after = group(CHECKOUT).inputs, group(configuration).inputs

    assert before["subnetIds"] != after["subnetIds"]
    assert before["nodeGroupName"] != after["nodeGroupName"]


def test_a_node_groups_name_is_the_same_every_time() -> None:
    assert Names("acme", "dev").node_group("general", "spot", "m7i.large") == "general-da8c9cce"


def test_long_names_are_cut_to_what_aws_takes_and_stay_apart() -> None:
    names = Names(LONGEST, "e" * 32)

    templates = {names.launch_template(f"nodes-{LONGEST}{end}") for end in "ab"}
    groups = {Names.node_group(f"{LONGEST}{end}", "spot") for end in "ab"}

    assert {len(name) for name in templates} == {125}
    assert {len(name) for name in groups} == {63}
    assert (len(templates), len(groups)) == (2, 2)


def test_names_begin_with_the_organization_and_the_stack() -> None:
    names = Names("acme", "dev")

    assert names.cluster == "acme-dev"
    assert names.of("logs") == "acme-dev-logs"
    assert names.role("nodes") == "acme-dev-nodes"
    assert names.ci_role("tv-api") == "acme-dev-ci-tv-api"
    assert names.launch_template("nodes") == "acme-dev-nodes"
    assert names.role_beginning == "acme-dev-"
    assert Names.repository("streaming", "tv-api") == "streaming/tv-api"
    assert names.tags(Name="a") == {
        "Organization": "acme",
        "Environment": "dev",
        "ManagedBy": "pulumi",
        "Name": "a",
    }


def test_the_longest_name_is_kept_and_a_longer_one_ends_with_a_hash_of_the_whole() -> None:
    names = Names("acme", "dev")

    assert names.role("r" * 55) == "acme-dev-" + "r" * 55
    assert names.role("r" * 56) == "acme-dev-" + "r" * 46 + "-e6edd7ba"
    assert Names("o" * 60, "dev").role_beginning == "o" * 55
    assert Names.node_group("n" * 54) == "n" * 54 + "-e3b0c442"
    assert Names.node_group("n" * 55) == "n" * 45 + "-35c2be7b-e3b0c442"
