"""Node groups: what moto does not store of them."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    NODE_GROUP,
    cluster_of,
    key_of,
    merged,
    update_started,
)

FORGOTTEN = ("updateConfig", "nodeRepairConfig", "labels", "taints", "scalingConfig")
_KEY = ("clusterName", "nodegroupName")
AMI_TYPE, DISK_SIZE = "AL2023_x86_64_STANDARD", 20
"""EKS's own when a node group names none."""


def _create(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, CreateNodegroup."""
    given = request.given
    cluster = cluster_of(request, given["clusterName"])
    group = request.moto()["nodegroup"]
    remembered = {name: given[name] for name in FORGOTTEN if name in given}
    version = given.get("version") or cluster["version"]
    remembered |= {
        "version": version,
        "releaseVersion": given.get("releaseVersion", _newest_image(version)),
        "amiType": given.get("amiType", AMI_TYPE),
        "createdAt": request.now,
        "modifiedAt": request.now,
    }
    if "launchTemplate" in given:
        remembered["launchTemplate"] = given["launchTemplate"]
    else:
        remembered["diskSize"] = given.get("diskSize", DISK_SIZE)
    request.store.put(NODE_GROUP, key_of(given, *_KEY), remembered)
    return {"nodegroup": {**_whole(request, group), "status": "CREATING"}}


def _newest_image(version: str) -> str:
    return f"{version}.0-20260101"


def _describe(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribeNodegroup."""
    return {"nodegroup": _whole(request, request.moto()["nodegroup"])}


def _whole(request: ApiRequest, group: Body) -> Body:
    """moto's node group, with what it did not store and without what it invented."""
    remembered = request.store.get(NODE_GROUP, key_of(group, *_KEY)) or {}
    invented = ("remoteAccess", "diskSize")
    return {**{name: group[name] for name in group if name not in invented}, **remembered}


def _update_config(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdateNodegroupConfig."""
    given = request.given
    before = request.ask("eks", "DescribeNodegroup", **{name: given[name] for name in _KEY})
    group = before["nodegroup"]
    changes: Body = {
        name: merged(group.get(name), given[name])
        for name in ("scalingConfig", "updateConfig", "nodeRepairConfig")
        if name in given
    }
    if "labels" in given:
        gone = given["labels"].get("removeLabels", [])
        left = {name: text for name, text in group.get("labels", {}).items() if name not in gone}
        changes["labels"] = {**left, **given["labels"].get("addOrUpdateLabels", {})}
    if "taints" in given:
        changes["taints"] = _tainted(group.get("taints", []), given["taints"])
    changes["modifiedAt"] = request.now
    request.store.merge(NODE_GROUP, key_of(given, *_KEY), changes)
    return _started(request, "ConfigUpdate")


def _tainted(before: list[Body], change: Body) -> list[Body]:
    """Key and effect identify a taint."""
    added: list[Body] = change.get("addOrUpdateTaints", [])
    touched = {(one["key"], one["effect"]) for one in [*added, *change.get("removeTaints", [])]}
    return [one for one in before if (one["key"], one["effect"]) not in touched] + added


def _update_version(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdateNodegroupVersion: by default to the cluster's version."""
    given = request.given
    cluster = cluster_of(request, given["clusterName"])
    version = given.get("version") or cluster["version"]
    changes = {
        "version": version,
        "releaseVersion": given.get("releaseVersion", _newest_image(version)),
    }
    if "launchTemplate" in given:
        changes["launchTemplate"] = given["launchTemplate"]
    request.ask("eks", "DescribeNodegroup", **{name: given[name] for name in _KEY})
    changes["modifiedAt"] = request.now
    request.store.merge(NODE_GROUP, key_of(given, *_KEY), changes)
    return _started(request, "VersionUpdate")


def _started(request: ApiRequest, kind: str) -> Body:
    cluster, group = (request.given[name] for name in _KEY)
    return update_started(request, cluster, kind, nodegroupName=group)


def _delete(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DeleteNodegroup."""
    group = _whole(request, request.moto()["nodegroup"])
    request.store.drop(NODE_GROUP, key_of(request.given, *_KEY))
    return {"nodegroup": {**group, "status": "DELETING"}}


STAND_INS: StandIns = {
    ("eks", "CreateNodegroup"): _create,
    ("eks", "DescribeNodegroup"): _describe,
    ("eks", "UpdateNodegroupConfig"): _update_config,
    ("eks", "UpdateNodegroupVersion"): _update_version,
    ("eks", "DeleteNodegroup"): _delete,
}
