"""Scheduled actions as EC2 Auto Scaling keeps them for the node groups of EKS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import LabAws, cluster

WITHIN = {"clusterName": "acme-dev", "nodegroupName": "general"}
NIGHT: dict[str, Any] = {
    "ScheduledActionName": "acme-dev-general-stop",
    "Recurrence": "0 20 * * *",
    "TimeZone": "Europe/Berlin",
    "MinSize": 0,
    "DesiredCapacity": 0,
}


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    return aws_in_process.begin(tmp_path)


@pytest.fixture
def group(aws: LabAws) -> dict[str, str]:
    """The name of a node group's Auto Scaling group, as a parameter."""
    eks, subnets = aws.client("eks"), cluster(aws)["resourcesVpcConfig"]["subnetIds"]
    role = "arn:aws:iam::123456789012:role/node"
    made = eks.create_nodegroup(**WITHIN, subnets=subnets, nodeRole=role)["nodegroup"]
    return {"AutoScalingGroupName": made["resources"]["autoScalingGroups"][0]["name"]}


@pytest.fixture
def autoscaling(aws: LabAws) -> Any:
    return aws.client("autoscaling")


def test_an_action_is_kept_with_the_next_time_it_comes(
    autoscaling: Any, group: dict[str, str]
) -> None:
    autoscaling.put_scheduled_update_group_action(**group, **NIGHT)

    (found,) = autoscaling.describe_scheduled_actions(**group)["ScheduledUpdateGroupActions"]
    starts = found.pop("StartTime")
    assert found.pop("ScheduledActionARN").endswith(":scheduledActionName/acme-dev-general-stop")
    assert found == {**group, **NIGHT}
    assert (starts.astimezone(UTC).hour in (18, 19), starts.minute) == (True, 0)
    assert datetime.now(UTC) < starts < datetime.now(UTC) + timedelta(days=1)

    autoscaling.delete_scheduled_action(**group, ScheduledActionName="acme-dev-general-stop")
    assert autoscaling.describe_scheduled_actions(**group)["ScheduledUpdateGroupActions"] == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"AutoScalingGroupName": "eks-none"}, "Group eks-none not found"),
        ({"StartTime": datetime(2020, 1, 1, tzinfo=UTC)}, "Given start time is in the past"),
        (
            {"ScheduledActionName": "another"},
            "Scheduled action with this start time already exists",
        ),
    ],
)
def test_what_aws_refuses_is_refused(
    autoscaling: Any, group: dict[str, str], changes: dict[str, Any], refusal: str
) -> None:
    autoscaling.put_scheduled_update_group_action(**group, **NIGHT)

    with pytest.raises(ClientError, match=refusal):
        autoscaling.put_scheduled_update_group_action(**{**group, **NIGHT, **changes})


def test_actions_go_with_their_group(aws: LabAws, autoscaling: Any, group: dict[str, str]) -> None:
    autoscaling.put_scheduled_update_group_action(**group, **NIGHT)
    aws.client("eks").delete_nodegroup(**WITHIN)

    with pytest.raises(ClientError, match="not found"):
        autoscaling.describe_scheduled_actions(**group)
