"""EC2 Auto Scaling: scheduled actions of the groups that EKS makes for node groups.

moto takes those of groups that do not exist, and knows no time at which one comes. Here too nothing
runs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from lab.aws_api.answers import Refusal
from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body

ACTION = "autoscaling/ScheduledAction"


def _put(request: ApiRequest) -> Body:
    """Amazon EC2 Auto Scaling API Reference, PutScheduledUpdateGroupAction."""
    given = dict(request.given)
    others = [one for one in _of_the_group(request) if _name(one) != _name(given)]
    starts = given.pop("StartTime", _next(given, request.now)).replace(tzinfo=UTC)
    if starts < request.now:
        raise Refusal("ValidationError", "Given start time is in the past")
    if any(one["StartTime"] == starts for one in others):
        raise Refusal("AlreadyExists", "Scheduled action with this start time already exists")
    request.store.put(ACTION, _key(given), {**given, "ScheduledActionARN": _arn(request)})
    return {}


def _describe(request: ApiRequest) -> Body:
    """Amazon EC2 Auto Scaling API Reference, DescribeScheduledActions."""
    wanted = request.given.get("ScheduledActionNames")
    found = _of_the_group(request)
    return {
        "ScheduledUpdateGroupActions": [one for one in found if not wanted or _name(one) in wanted]
    }


def _delete(request: ApiRequest) -> Body:
    """Amazon EC2 Auto Scaling API Reference, DeleteScheduledAction."""
    if _name(request.given) not in map(_name, _of_the_group(request)):
        raise Refusal("ValidationError", "Scheduled action name not found")
    request.store.drop(ACTION, _key(request.given))
    return {}


def _of_the_group(request: ApiRequest) -> list[Body]:
    """The actions of the group that is asked about, each with the next time that it comes."""
    group = request.given["AutoScalingGroupName"]
    if group not in _groups(request):
        raise Refusal("ValidationError", f"Group {group} not found")
    return [
        {**action, "StartTime": _next(action, request.now)}
        for action in request.store.all(ACTION, f"{group}/").values()
    ]


def _groups(request: ApiRequest) -> Iterator[str]:
    for cluster in request.ask("eks", "ListClusters")["clusters"]:
        for name in request.ask("eks", "ListNodegroups", clusterName=cluster)["nodegroups"]:
            group = request.ask(
                "eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name
            )["nodegroup"]
            yield from (one["name"] for one in group["resources"]["autoScalingGroups"])


def _next(action: Body, now: datetime) -> datetime:
    zone = ZoneInfo(action.get("TimeZone", "Etc/UTC"))
    return next(CronSim(action["Recurrence"], now.astimezone(zone))).astimezone(UTC)


def _name(action: Body) -> str:
    return str(action["ScheduledActionName"])


def _key(action: Body) -> str:
    return f"{action['AutoScalingGroupName']}/{_name(action)}"


def _arn(request: ApiRequest) -> str:
    group, name = request.given["AutoScalingGroupName"], _name(request.given)
    return (
        f"arn:aws:autoscaling:{request.region}:{request.account}:scheduledUpdateGroupAction:"
        f"00000000-0000-0000-0000-000000000000:autoScalingGroupName/{group}:"
        f"scheduledActionName/{name}"
    )


STAND_INS: StandIns = {
    ("autoscaling", "PutScheduledUpdateGroupAction"): _put,
    ("autoscaling", "DescribeScheduledActions"): _describe,
    ("autoscaling", "DeleteScheduledAction"): _delete,
}
