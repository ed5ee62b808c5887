"""Node groups: what moto forgets of them."""

from __future__ import annotations

from lab.aws_api.asked import Asked, StandIns
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


def _create(asked: Asked) -> Body:
    """Amazon EKS API Reference, CreateNodegroup."""
    given = asked.given
    cluster = cluster_of(asked, given["clusterName"])
    group = asked.moto()["nodegroup"]
    remembered = {name: given[name] for name in FORGOTTEN if name in given}
    version = given.get("version") or cluster["version"]
    remembered |= {
        "version": version,
        "releaseVersion": given.get("releaseVersion", _newest_image(version)),
        "amiType": given.get("amiType", AMI_TYPE),
        "createdAt": asked.now,
        "modifiedAt": asked.now,
    }
    if "launchTemplate" in given:
        remembered["launchTemplate"] = given["launchTemplate"]
    else:
        remembered["diskSize"] = given.get("diskSize", DISK_SIZE)
    asked.shelves.put(NODE_GROUP, key_of(given, *_KEY), remembered)
    return {"nodegroup": {**_whole(asked, group), "status": "CREATING"}}


def _newest_image(version: str) -> str:
    return f"{version}.0-20260101"


def _describe(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribeNodegroup."""
    return {"nodegroup": _whole(asked, asked.moto()["nodegroup"])}


def _whole(asked: Asked, group: Body) -> Body:
    """moto's node group with what it forgot and without what it made up."""
    remembered = asked.shelves.get(NODE_GROUP, key_of(group, *_KEY)) or {}
    invented = ("remoteAccess", "diskSize")
    return {**{name: group[name] for name in group if name not in invented}, **remembered}


def _update_config(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdateNodegroupConfig."""
    given = asked.given
    before = asked.ask("eks", "DescribeNodegroup", **{name: given[name] for name in _KEY})
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
    changes["modifiedAt"] = asked.now
    asked.shelves.merge(NODE_GROUP, key_of(given, *_KEY), changes)
    return _started(asked, "ConfigUpdate")


def _tainted(before: list[Body], change: Body) -> list[Body]:
    """Taints are told apart by key and effect."""
    added: list[Body] = change.get("addOrUpdateTaints", [])
    touched = {(one["key"], one["effect"]) for one in [*added, *change.get("removeTaints", [])]}
    return [one for one in before if (one["key"], one["effect"]) not in touched] + added


def _update_version(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdateNodegroupVersion: the cluster's version unless told."""
    given = asked.given
    cluster = cluster_of(asked, given["clusterName"])
    version = given.get("version") or cluster["version"]
    changes = {
        "version": version,
        "releaseVersion": given.get("releaseVersion", _newest_image(version)),
    }
    if "launchTemplate" in given:
        changes["launchTemplate"] = given["launchTemplate"]
    asked.ask("eks", "DescribeNodegroup", **{name: given[name] for name in _KEY})
    changes["modifiedAt"] = asked.now
    asked.shelves.merge(NODE_GROUP, key_of(given, *_KEY), changes)
    return _started(asked, "VersionUpdate")


def _started(asked: Asked, kind: str) -> Body:
    cluster, group = (asked.given[name] for name in _KEY)
    return update_started(asked, cluster, kind, nodegroupName=group)


def _delete(asked: Asked) -> Body:
    """Amazon EKS API Reference, DeleteNodegroup."""
    group = _whole(asked, asked.moto()["nodegroup"])
    asked.shelves.drop(NODE_GROUP, key_of(asked.given, *_KEY))
    return {"nodegroup": {**group, "status": "DELETING"}}


STAND_INS: StandIns = {
    ("eks", "CreateNodegroup"): _create,
    ("eks", "DescribeNodegroup"): _describe,
    ("eks", "UpdateNodegroupConfig"): _update_config,
    ("eks", "UpdateNodegroupVersion"): _update_version,
    ("eks", "DeleteNodegroup"): _delete,
}
