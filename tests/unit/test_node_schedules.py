"""Node groups that stop and start by a schedule: what is refused, what is made, what it saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import wiring
from components.cluster.cluster import Cluster
from components.network.network import Network
from settings.environment import Settings
from settings.loading import load, load_files
from settings.node_schedules import share_stopped, unix
from settings.problems import SettingsError
from tests.committed import committed, on_node_groups
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.recording import Recording, record
from tools.iam import documents

NIGHTS = {"stop": "0 20 * * mon-fri", "start": "0 7 * * mon-fri", "timeZone": "Europe/Berlin"}
SCHEDULE = "aws:autoscaling/schedule:Schedule"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"


def scheduled(**schedule: str) -> dict[str, Any]:
    """The committed fast environment on one node group, with this schedule."""
    config = committed("dev")
    on_node_groups(config)
    config["platform:cluster"]["nodeGroups"][0]["schedule"] = schedule
    return config


@pytest.fixture(scope="module")
def dev_at_night() -> Settings:
    return load("dev", scheduled(**NIGHTS), CHECKOUT, {})


@pytest.fixture(scope="module")
def mixed() -> Settings:
    """Beside a group that stops one that runs."""
    config = scheduled(**NIGHTS)
    groups = config["platform:cluster"]["nodeGroups"]
    groups.append({**groups[0], "name": "batch"})
    del groups[1]["schedule"]
    return load("dev", config, CHECKOUT, {})


def build(settings: Settings) -> Recording:
    def program() -> None:
        network = Network("network", wiring.network(settings))
        Cluster("cluster", wiring.cluster(settings, network))

    return record(program)


# What is refused


def report(configuration: Path, stack: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load_files(stack, configuration)
    return str(SettingsError(replace(one, line=None) for one in refused.value.problems))


@pytest.fixture
def refusal(configuration: Path) -> Callable[..., str]:
    """The report on the fast environment with a schedule."""

    def reported(**schedule: str) -> str:
        text = yaml.safe_dump({"config": scheduled(**schedule)})
        (configuration / "Pulumi.dev.yaml").write_text(text)
        return report(configuration, "dev")

    return reported


PLACE = "Pulumi.dev.yaml: platform:cluster.nodeGroups[0].schedule"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"stop": "* 20 * * *"},
            f"{PLACE}.stop: comes at more than one minute of an hour (given: * 20 * * *); write "
            "one minute, such as 0",
        ),
        (
            {"start": "0,30 7 * * *"},
            f"{PLACE}.start: comes at more than one minute of an hour (given: 0,30 7 * * *); "
            "write one minute, such as 0",
        ),
        (
            {"stop": "0 20 31 feb *"},
            f"{PLACE}.stop: never comes: its day-of-month is impossible (given: 0 20 31 feb *); "
            "write minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, and ranges "
            "upwards",
        ),
        (
            {"timeZone": "UTC"},
            f"{PLACE}.timeZone: is no canonical name, which EC2 Auto Scaling wants (given: UTC); "
            "write one such as Europe/Berlin or Etc/UTC",
        ),
        (
            {"timeZone": "Europe/Bonn"},
            f"{PLACE}.timeZone: is no time zone (given: Europe/Bonn); write a name of the IANA "
            "database such as Europe/Berlin",
        ),
        (
            {"stop": "0 7 * * fri"},
            f"{PLACE}: stops and starts at the same time, such as Friday 07:00; move one of the "
            "two",
        ),
    ],
)
def test_what_aws_refuses_is_refused(
    refusal: Callable[..., str], changes: dict[str, str], problem: str
) -> None:
    assert refusal(**{**NIGHTS, **changes}).splitlines()[1:] == [f"  - {problem}"]


def test_all_problems_of_a_schedule_are_told_together(refusal: Callable[..., str]) -> None:
    told = refusal(stop="60 20 * * *", start="0 7 * * 7", timeZone="CET")
    assert [line.partition(": platform")[2][:42] for line in told.splitlines()[1:]] == [
        ":cluster.nodeGroups[0].schedule.start: has",
        ":cluster.nodeGroups[0].schedule.stop: neve",
        ":cluster.nodeGroups[0].schedule.timeZone: ",
    ]


def test_a_group_that_would_start_nothing_is_refused(configuration: Path, bend: Bend) -> None:
    spare = {"name": "spare", "instanceTypes": ["m7i.large"], "minSize": 0, "maxSize": 3}
    config = scheduled(**NIGHTS)
    config["platform:cluster"]["nodeGroups"].append({**spare, "schedule": NIGHTS})
    (configuration / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))

    assert report(configuration, "dev").splitlines()[1:] == [
        "  - Pulumi.dev.yaml: platform:cluster.nodeGroups[1]: has a schedule and minSize 0, so "
        "that no node would start; raise minSize, or remove schedule"
    ]


def test_the_nodes_of_a_safe_environment_run_at_all_hours(configuration: Path, bend: Bend) -> None:
    bend(
        "Pulumi.prod.yaml",
        lambda c: c["platform:cluster"]["nodeGroups"][0].update(schedule=NIGHTS),
    )

    assert report(configuration, "prod").splitlines()[1:] == [
        "  - Pulumi.prod.yaml: platform:cluster.nodeGroups[0].schedule: would stop the nodes of "
        "an environment whose speed is safe: its services would be away (given: stop 0 20 * * "
        "mon-fri); remove schedule, or set it where speed is fast"
    ]


def test_auto_mode_has_no_schedule(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"]["pools"][0].update(schedule=NIGHTS))

    assert report(configuration, "dev").splitlines()[1:] == [
        "  - Pulumi.dev.yaml: platform:cluster.pools[0].schedule: is not a key known here; remove "
        "it; known keys: capacity, diskGib, labels, maxCpus, name, processor, taints"
    ]


# What is made


def test_two_actions_of_the_groups_auto_scaling_group(dev_at_night: Settings) -> None:
    made = build(dev_at_night)
    common = {
        "autoscalingGroupName": "eks-general-0c1a2b3c",
        "timeZone": "Europe/Berlin",
        "maxSize": -1,
    }

    assert {one.name: dict(one.inputs) for one in made.of(SCHEDULE)} == {
        "cluster-nodes-general-stop": {
            **common,
            "scheduledActionName": "acme-dev-general-stop",
            "recurrence": "0 20 * * 1-5",
            "minSize": 0,
            "desiredCapacity": 0,
        },
        "cluster-nodes-general-start": {
            **common,
            "scheduledActionName": "acme-dev-general-start",
            "recurrence": "0 7 * * 1-5",
            "minSize": 2,
            "desiredCapacity": 2,
        },
    }


def test_an_action_is_made_anew_in_place_of_an_update(dev_at_night: Settings) -> None:
    for one in build(dev_at_night).of(SCHEDULE):
        assert (one.replace_on_changes, one.delete_before_replace) == (("*",), True)


def test_a_group_without_a_schedule_has_no_actions() -> None:
    config = scheduled()
    del config["platform:cluster"]["nodeGroups"][0]["schedule"]
    build(load("dev", config, CHECKOUT, {})).assert_none(SCHEDULE)


def test_a_cluster_is_without_nodes_only_if_all_groups_stop(
    dev: Settings, dev_at_night: Settings, mixed: Settings
) -> None:
    assert dev_at_night.config.cluster.all_nodes_stop
    assert not mixed.config.cluster.all_nodes_stop
    assert not dev.config.cluster.all_nodes_stop, "Auto Mode"


# The rights


def test_only_an_environment_with_a_schedule_may_write_actions(
    mixed: Settings, prod: Settings
) -> None:
    made = {s["Sid"]: s for d in documents(mixed, []) for s in d["Statement"]}

    assert made == {
        "ReadNodeSchedules": {
            "Sid": "ReadNodeSchedules",
            "Effect": "Allow",
            "Action": ["autoscaling:DescribeScheduledActions"],
            "Resource": ["*"],
        },
        "NodeSchedules": {
            "Sid": "NodeSchedules",
            "Effect": "Allow",
            "Action": [
                "autoscaling:DeleteScheduledAction",
                "autoscaling:PutScheduledUpdateGroupAction",
            ],
            "Resource": [
                "arn:aws:autoscaling:eu-central-1:123456789012:"
                "autoScalingGroup:*:autoScalingGroupName/eks-*"
            ],
            "Condition": {"StringEquals": {"aws:ResourceTag/eks:cluster-name": ["acme-dev"]}},
        },
    }
    assert documents(prod, []) == []


# What it saves


@pytest.mark.parametrize(
    ("stop", "start", "hours_a_week"),
    [
        ("0 20 * * mon-fri", "0 7 * * mon-fri", 103),
        ("0 20 * * *", "0 8 * * *", 84),
        ("0 20 * * fri", "0 8 * * mon", 60),
        ("0 8 * * *", "0 20 * * *", 84),
        ("30 19 * * 1-5", "0 20 * * 1-5", 2.5),
    ],
)
def test_the_hours_of_a_week_without_nodes(stop: str, start: str, hours_a_week: float) -> None:
    assert share_stopped(stop, start) * 168 == pytest.approx(hours_a_week, abs=0.5)


@pytest.mark.parametrize(
    ("stop", "start", "days_a_year"),
    [
        ("0 0 1 1 *", "0 0 2 1 *", 1),
        ("0 0 31 12 *", "0 0 2,3 1 *", 2),
        # 2024 begins on a Monday, and 2025 on a Wednesday.
        ("0 0 * * wed", "0 0 * * thu", 52),
    ],
)
def test_a_year_begins_as_it_ends(stop: str, start: str, days_a_year: float) -> None:
    assert share_stopped(stop, start) * 366 == pytest.approx(days_a_year)


def test_names_become_numbers() -> None:
    assert unix("0 20 1 jan-MAR,dec mon,WED-fri") == "0 20 1 1-3,12 1,3-5"
    assert unix("0 20 * * sun,tue,thu,sat") == "0 20 * * 0,2,4,6"
