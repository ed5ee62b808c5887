"""Node groups: what moto forgets of them."""

from __future__ import annotations

from lab.aws.api import Aws, Send, Standin
from lab.aws.beyond_moto.eks import NODE_GROUP, Body, key_of, merged, update_done

FORGOTTEN = ("updateConfig", "nodeRepairConfig", "labels", "taints", "scalingConfig")


def _create_node_group(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    remembered = {name: given[name] for name in FORGOTTEN if name in given}
    version = given.get("version") or _version_of(aws, given["clusterName"])
    remembered |= {"version": version, "launchTemplate": given.get("launchTemplate")}
    remembered["releaseVersion"] = given.get("releaseVersion", f"{version}.0-20260101")
    for name, default in (("amiType", "AL2023_x86_64_STANDARD"), ("diskSize", 20)):
        remembered[name] = given.get(name, default)
    if "launchTemplate" in given and "diskSize" not in given:
        del remembered["diskSize"]
    aws.kept.put(NODE_GROUP, key_of(given, "clusterName", "nodegroupName"), remembered)
    return answer


def _version_of(aws: Aws, cluster: str) -> str:
    return str(aws.call("eks", "describe_cluster", name=cluster)["cluster"]["version"])


def _describe_node_group(aws: Aws, send: Send, given: Body) -> Body:
    group = send()["nodegroup"]
    remembered = aws.kept.get(NODE_GROUP, key_of(given, "clusterName", "nodegroupName")) or {}
    for invented in ("remoteAccess", *(("diskSize",) if remembered.get("launchTemplate") else ())):
        group.pop(invented, None)
    return {"nodegroup": {**group, **remembered}}


def _update_node_group_config(aws: Aws, send: Send, given: Body) -> Body:
    key = key_of(given, "clusterName", "nodegroupName")
    before = aws.call(
        "eks",
        "describe_nodegroup",
        clusterName=given["clusterName"],
        nodegroupName=given["nodegroupName"],
    )["nodegroup"]
    changes: Body = {
        name: merged(before.get(name), given[name])
        for name in ("scalingConfig", "updateConfig", "nodeRepairConfig")
        if name in given
    }
    if "labels" in given:
        gone = given["labels"].get("removeLabels", [])
        kept = {key: text for key, text in before.get("labels", {}).items() if key not in gone}
        changes["labels"] = {**kept, **given["labels"].get("addOrUpdateLabels", {})}
    if "taints" in given:
        added = given["taints"].get("addOrUpdateTaints", [])
        left = given["taints"].get("removeTaints", []) + added
        names = [(taint["key"], taint["effect"]) for taint in left]
        kept_taints = [
            taint
            for taint in before.get("taints", [])
            if (taint["key"], taint["effect"]) not in names
        ]
        changes["taints"] = kept_taints + added
    aws.kept.merge(NODE_GROUP, key, changes)
    return update_done("ConfigUpdate")


def _update_node_group_version(aws: Aws, send: Send, given: Body) -> Body:
    key = key_of(given, "clusterName", "nodegroupName")
    names = ("version", "releaseVersion", "launchTemplate")
    aws.kept.merge(NODE_GROUP, key, {name: given[name] for name in names if name in given})
    return update_done("VersionUpdate")


def _delete_node_group(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    aws.kept.drop(NODE_GROUP, key_of(given, "clusterName", "nodegroupName"))
    return answer


STANDINS: dict[tuple[str, str], Standin] = {
    ("eks", "create_nodegroup"): _create_node_group,
    ("eks", "describe_nodegroup"): _describe_node_group,
    ("eks", "update_nodegroup_config"): _update_node_group_config,
    ("eks", "update_nodegroup_version"): _update_node_group_version,
    ("eks", "delete_nodegroup"): _delete_node_group,
}
