"""The EBS drivers of one cluster: volumes for claims, attached at once, without any disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.kubernetes_api import KubernetesApi

Object = dict[str, Any]
DRIVERS = frozenset({"ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"})
"""The add-on's, and the one of EKS Auto Mode."""
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
"""By this annotation Kubernetes asks a provisioner for a claim's volume."""
SELECTED_NODE = "volume.kubernetes.io/selected-node"
ZONE = "topology.kubernetes.io/zone"
CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"


def reconcile(api: KubernetesApi) -> None:
    """Create what claims wait for, attach what pods wait for, delete what nobody claims."""
    for claim in waiting(_items(api, CLAIMS)):
        storage_class = api.get(f"{CLASSES}/{claim['spec']['storageClassName']}") or {}
        node = api.get(f"/api/v1/nodes/{claim['metadata']['annotations'][SELECTED_NODE]}") or {}
        api.create(VOLUMES, volume(claim, storage_class, node))
    for attachment in unattached(_items(api, ATTACHMENTS)):
        path = f"{ATTACHMENTS}/{attachment['metadata']['name']}/status"
        api.replace(path, attachment | {"status": {"attached": True}})
    for released in unclaimed(_items(api, VOLUMES)):
        api.delete(f"{VOLUMES}/{released['metadata']['name']}")


def waiting(claims: list[Object]) -> Iterator[Object]:
    """The claims that a driver here has to give a volume, on a node that the scheduler chose."""
    for claim in claims:
        annotations = claim["metadata"].get("annotations", {})
        ours = annotations.get(PROVISIONER) in DRIVERS and SELECTED_NODE in annotations
        if ours and not claim["spec"].get("volumeName"):
            yield claim


def unattached(attachments: list[Object]) -> Iterator[Object]:
    for attachment in attachments:
        attached = attachment.get("status", {}).get("attached")
        if attachment["spec"]["attacher"] in DRIVERS and not attached:
            yield attachment


def unclaimed(volumes: list[Object]) -> Iterator[Object]:
    """The volumes that are to be deleted with their claim, which is gone."""
    for one in volumes:
        deletes = one["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        ours = one["spec"].get("csi", {}).get("driver") in DRIVERS
        if ours and deletes and one.get("status", {}).get("phase") == "Released":
            yield one


def volume(claim: Object, storage_class: Object, node: Object) -> Object:
    """The volume of a claim, in the zone of its node."""
    metadata, spec = claim["metadata"], claim["spec"]
    driver = metadata["annotations"][PROVISIONER]
    zone = node.get("metadata", {}).get("labels", {}).get(ZONE, "")
    within = [{"key": ZONE, "operator": "In", "values": [zone]}]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{metadata['uid']}"},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: metadata[key] for key in ("namespace", "name", "uid")},
            },
            "csi": {"driver": driver, "volumeHandle": f"vol-{metadata['uid'].replace('-', '')}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": within}]}},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
        },
    }


def _items(api: KubernetesApi, path: str) -> list[Object]:
    found: list[Object] = (api.get(path) or {}).get("items", [])
    return found
