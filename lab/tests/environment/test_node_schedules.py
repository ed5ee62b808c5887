"""A node group that stops at night, in a stack of its own in the cluster of dev."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.overrides import overrides
from lab.tests.environment.changed_program import copied, write
from lab.tests.environment.conftest import Lab

STACK = "night"
PROGRAM = """\
import pulumi

from components.cluster.nodes import Nodes, NodesArgs
from settings.naming import Names
from settings.aws_account import AwsAccount
from settings.nodes import NodeGroup

given = pulumi.Config("night")
args = NodesArgs(
    groups=[NodeGroup.model_validate(given.require_object("group"))],
    version="1.35",
    permissions_boundary=None,
    names=Names("acme", "night"),
    account=AwsAccount(id="123456789012", region="eu-central-1"),
    cluster_name="acme-dev",
    subnet_ids=given.require_object("subnets"),
    placement=["a", "b"],
)
pulumi.export("group", Nodes("nodes", args).groups[0].node_group_name)
"""
NIGHTS = {"stop": "0 20 * * mon-fri", "start": "0 7 * * mon-fri", "timeZone": "Europe/Berlin"}
GROUP = {
    "name": "general",
    "instanceTypes": ["m7i.large"],
    "minSize": 2,
    "maxSize": 5,
    "schedule": NIGHTS,
}
START, STOP = "nodes-general-start", "nodes-general-stop"
GROUP_ITSELF = "nodes-general"


@dataclass(frozen=True)
class Night:
    """The stack, and the node group that it has."""

    lab: Lab
    folder: Path
    group: dict[str, Any] = field(default_factory=lambda: dict(GROUP))

    def write(self) -> None:
        config = {
            "aws:region": "eu-central-1",
            "aws:endpoints": overrides(self.lab.site)["aws:endpoints"],
            "night:group": self.group,
            "night:subnets": self.lab.aws("eks").describe_cluster(name="acme-dev")["cluster"][
                "resourcesVpcConfig"
            ]["subnetIds"],
        }
        write(self.lab.site.home / f"Pulumi.{STACK}.yaml", {"config": config})

    def pulumi(self, *arguments: str) -> str:
        return self.lab.program.read(*arguments, stack=STACK, folder=self.folder)

    def up(self) -> None:
        self.write()
        self.pulumi("up", "--yes", "--skip-preview")

    def changes(self, *options: str) -> dict[str, str]:
        """What a preview would do, by the resource's name."""
        self.write()
        steps = json.loads(self.pulumi("preview", "--json", *options))["steps"]
        found = {step["urn"].rpartition("::")[2]: step["op"] for step in steps}
        return {name: op for name, op in found.items() if op not in ("same", "refresh")}

    @property
    def named(self) -> dict[str, str]:
        """The node group, as EKS wants it named."""
        output = self.pulumi("stack", "output", "group").strip()
        return {"clusterName": "acme-dev", "nodegroupName": output}

    def actions(self) -> dict[str, tuple[Any, ...]]:
        """Recurrence, zone and sizes of the scheduled actions in AWS, by name."""
        group = self.lab.aws("eks").describe_nodegroup(**self.named)["nodegroup"]
        (of_group,) = group["resources"]["autoScalingGroups"]
        found = self.lab.aws("autoscaling").describe_scheduled_actions(
            AutoScalingGroupName=of_group["name"]
        )["ScheduledUpdateGroupActions"]
        keys = ("Recurrence", "TimeZone", "MinSize", "DesiredCapacity", "MaxSize")
        return {one["ScheduledActionName"]: tuple(map(one.get, keys)) for one in found}

    def scale(self, **sizes: int) -> None:
        """What a scheduled action does, as EKS then shows it."""
        eks = self.lab.aws("eks")
        eks.update_nodegroup_config(**self.named, scalingConfig=sizes)


@pytest.fixture(scope="module")
def night(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = copied(lab.site, tmp_path_factory.mktemp("night") / "program")
    (folder / "__main__.py").write_text(PROGRAM)
    made = Night(lab, folder)
    made.write()
    lab.program.read("stack", "select", "--create", stack=STACK, folder=lab.site.home)
    try:
        made.up()
        yield made
    finally:
        made.pulumi("destroy", "--yes")
        made.pulumi("stack", "rm", "--yes", "--force")


def test_two_actions_stop_and_start_the_nodes(night: Night) -> None:
    assert night.actions() == {
        "acme-night-general-stop": ("0 20 * * 1-5", "Europe/Berlin", 0, 0, None),
        "acme-night-general-start": ("0 7 * * 1-5", "Europe/Berlin", 2, 2, None),
    }
    assert night.changes() == {}
    assert night.changes("--refresh") == {}


def test_at_night_a_preview_shows_nothing_unless_it_asks_aws(night: Night) -> None:
    night.scale(minSize=0, desiredSize=0)
    assert night.changes() == {}
    assert night.changes("--refresh") == {GROUP_ITSELF: "update"}
    night.scale(minSize=2, desiredSize=2)
    assert night.changes("--refresh") == {}


def test_another_time_or_size_makes_the_actions_anew(night: Night) -> None:
    night.group.update(minSize=3, schedule={**NIGHTS, "stop": "30 18 * * fri"})
    assert night.changes() == {GROUP_ITSELF: "update", START: "replace", STOP: "replace"}
    night.scale(desiredSize=3)
    night.lab.program.read("refresh", "--yes", stack=STACK, folder=night.folder)
    night.up()
    assert night.actions() == {
        "acme-night-general-stop": ("30 18 * * 5", "Europe/Berlin", 0, 0, None),
        "acme-night-general-start": ("0 7 * * 1-5", "Europe/Berlin", 3, 3, None),
    }
    assert night.changes() == {}


def test_without_the_setting_the_actions_go_and_the_group_stays(night: Night) -> None:
    del night.group["schedule"]
    assert night.changes() == {START: "delete", STOP: "delete"}
    night.up()
    assert night.actions() == {}
    assert night.changes("--refresh") == {}
