"""The StorageClass of volumes that name none. Pure."""

from __future__ import annotations

from typing import Any

from settings.cluster import ClusterConfig
from settings.eks_releases import AddonName

DRIVER: AddonName = "aws-ebs-csi-driver"


def default_class(config: ClusterConfig) -> dict[str, Any] | None:
    """The body of the StorageClass: encrypted gp3 disks that grow.

    None where no driver makes volumes, and in an existing cluster, which may have its own class.
    A class cannot change, so each driver's has a name of its own.
    """
    if config.auto:
        return _class("gp3-auto", "ebs.csi.eks.amazonaws.com")
    if DRIVER in config.addons:
        return _class("gp3", "ebs.csi.aws.com")
    return None


def _class(name: str, provisioner: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": provisioner,
        "parameters": {"type": "gp3", "encrypted": "true"},
        "volume_binding_mode": "WaitForFirstConsumer",  # a disk is in the zone of its pod
        "allow_volume_expansion": True,
        "reclaim_policy": "Delete",
    }
