"""Volumes for claims, and the metrics of pods."""

from __future__ import annotations

from typing import Any

import pytest

from lab import volumes
from lab.daemons import metrics


def claim(name: str, **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": "1-2",
            "annotations": {key.replace("_", "-"): text for key, text in annotations.items()},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "5Gi"}},
            "storageClassName": "gp3",
        },
    }


def annotated(provisioner: str, *, node: bool) -> dict[str, Any]:
    one = claim("data-cache-0")
    one["metadata"]["annotations"] = {"volume.kubernetes.io/storage-provisioner": provisioner}
    if node:
        one["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = "node-1"
    return one


@pytest.mark.parametrize("driver", ["ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"])
def test_claims_whose_node_is_known_get_a_volume_of_their_driver(driver: str) -> None:
    ready = annotated(driver, node=True)
    assert volumes.volume(ready, {}, {})["spec"]["csi"]["driver"] == driver
    bound = annotated("ebs.csi.aws.com", node=True)
    bound["spec"]["volumeName"] = "pvc-1"
    others = [
        claim("plain"),
        annotated("efs.csi.aws.com", node=True),
        annotated("ebs.csi.aws.com", node=False),
        bound,
    ]
    assert [*volumes.waiting([ready, *others])] == [ready]


def test_a_volume_is_the_claims_own_and_in_its_nodes_zone() -> None:
    node = {"metadata": {"labels": {"topology.kubernetes.io/zone": "eu-central-1a"}}}
    made = volumes.volume(
        annotated("ebs.csi.aws.com", node=True), {"reclaimPolicy": "Retain"}, node
    )
    assert made["metadata"]["name"] == "pvc-1-2"
    assert made["spec"]["claimRef"] == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": "shop",
        "name": "data-cache-0",
        "uid": "1-2",
    }
    assert made["spec"]["capacity"] == {"storage": "5Gi"}
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    (term,) = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["eu-central-1a"]


def test_a_volume_without_a_claim_is_deleted_only_where_its_class_says_so() -> None:
    def released(policy: str, phase: str, driver: str = "ebs.csi.aws.com") -> dict[str, Any]:
        spec = {"persistentVolumeReclaimPolicy": policy, "csi": {"driver": driver}}
        return {"spec": spec, "status": {"phase": phase}}

    gone = released("Delete", "Released")
    kept = [
        released("Retain", "Released"),
        released("Delete", "Bound"),
        released("Delete", "Released", "other"),
    ]
    assert [*volumes.unclaimed([gone, *kept])] == [gone]


def test_attachments_of_this_driver_are_attached_once() -> None:
    new = {"spec": {"attacher": "ebs.csi.aws.com"}}
    done = {"spec": {"attacher": "ebs.csi.aws.com"}, "status": {"attached": True}}
    other = {"spec": {"attacher": "efs.csi.aws.com"}}
    assert [*volumes.unattached([new, done, other])] == [new]


def pod(name: str, app: str, phase: str = "Running", containers: int = 1) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {"app.kubernetes.io/name": app},
        },
        "spec": {"containers": [{"name": f"c{n}"} for n in range(containers)]},
        "status": {"phase": phase},
    }


def test_the_pods_of_a_name_share_its_load_and_those_that_wait_have_none() -> None:
    found = [
        pod("web-1", "web"),
        pod("web-2", "web"),
        pod("web-3", "web", "Pending"),
        pod("idle", "other"),
        pod("two", "pair", containers=2),
    ]
    loads = {("shop", "web"): 900, ("shop", "pair"): 100}
    items = metrics.usage(found, loads, "2026-01-01T00:00:00Z")["items"]
    used = {
        item["metadata"]["name"]: [one["usage"]["cpu"] for one in item["containers"]]
        for item in items
    }
    assert used == {
        "web-1": ["450m"],
        "web-2": ["450m"],
        "idle": ["1m"],
        "two": ["50m", "50m"],
    }
