"""Add-ons of clusters, with the pod identity associations that they own."""

from __future__ import annotations

from typing import Any

from lab.aws_api.answers import Refusal
from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    ADDON,
    IDENTITY,
    arn_of,
    cluster_of,
    kept,
    key_of,
    page,
    taken,
    unique,
    update_started,
    without,
)
from lab.aws_api.stand_ins.eks_pod_identities import associate, owned
from settings.kubernetes import RELEASES

_KEY = ("clusterName", "addonName")
_STEERING = ("resolveConflicts", "preserve", "podIdentityAssociations")
NAMESPACE = "kube-system"
"""Where the add-ons that AWS makes live, unless they are told otherwise."""


def _create(asked: Asked) -> Body:
    """Amazon EKS API Reference, CreateAddon."""
    given, key = asked.given, key_of(asked.given, *_KEY)
    cluster = cluster_of(asked, given["clusterName"])
    if asked.shelves.get(ADDON, key):
        raise taken(f"The add-on {key}")
    namespace = (given.get("namespaceConfig") or {}).get("namespace", NAMESPACE)
    addon = {
        "addonVersion": given.get("addonVersion") or _default(given["addonName"], cluster),
        "tags": {},
        **without(given, *_STEERING),
        "namespaceConfig": {"namespace": namespace},
        "status": "ACTIVE",
        "health": {"issues": []},
        "addonArn": arn_of(asked, "addon", *key.split("/"), unique()),
        "createdAt": asked.now,
        "modifiedAt": asked.now,
        "owner": "aws",
        "publisher": "eks",
    }
    _own(asked, addon, given.get("podIdentityAssociations", []))
    asked.shelves.put(ADDON, key, addon)
    return {"addon": {**_whole(asked, addon), "status": "CREATING"}}


def _default(name: str, cluster: Body) -> str:
    """The version that a cluster gets when none is named."""
    release = RELEASES.get(cluster["version"])
    for known, version in (release.addons if release else {}).items():
        if known == name:
            return version
    raise Refusal(
        "InvalidParameterException",
        f"The lab knows no default version of add-on {name} on Kubernetes {cluster['version']}: "
        "name one with addonVersion",
    )


def _own(asked: Asked, addon: Body, wanted: list[Body]) -> None:
    """Makes the associations of an add-on those that are wanted, and no others."""
    for key in owned(asked, addon["clusterName"], addon["addonArn"]):
        asked.shelves.drop(IDENTITY, key)
    for one in wanted:
        within = {
            "clusterName": addon["clusterName"],
            "namespace": addon["namespaceConfig"]["namespace"],
            "ownerArn": addon["addonArn"],
        }
        associate(asked, {**one, **within})


def _whole(asked: Asked, addon: Body) -> Body:
    """The add-on as AWS tells it, with the ARNs of its associations."""
    associations = owned(asked, addon["clusterName"], addon["addonArn"]).values()
    return {**addon, "podIdentityAssociations": [one["associationArn"] for one in associations]}


def _describe(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribeAddon."""
    return {"addon": _whole(asked, kept(asked, ADDON, key_of(asked.given, *_KEY)))}


def _list(asked: Asked) -> Body:
    """Amazon EKS API Reference, ListAddons."""
    cluster = asked.given["clusterName"]
    cluster_of(asked, cluster)
    found = asked.shelves.all(ADDON, f"{cluster}/").values()
    return page(asked, "addons", (one["addonName"] for one in found))


def _update(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdateAddon: it answers with an update, not with the add-on.

    A list of associations replaces those that the add-on owns; without a list they stay.
    """
    given, key = asked.given, key_of(asked.given, *_KEY)
    addon = kept(asked, ADDON, key)
    if "podIdentityAssociations" in given:
        _own(asked, addon, given["podIdentityAssociations"])
    changes = {**without(given, *_STEERING), "modifiedAt": asked.now}
    asked.shelves.merge(ADDON, key, changes)
    addon_name = given["addonName"]
    return update_started(asked, given["clusterName"], "AddonUpdate", addonName=addon_name)


def _delete(asked: Asked) -> Body:
    """Amazon EKS API Reference, DeleteAddon."""
    key = key_of(asked.given, *_KEY)
    addon = _whole(asked, kept(asked, ADDON, key))
    _own(asked, addon, [])
    asked.shelves.drop(ADDON, key)
    return {"addon": {**addon, "status": "DELETING"}}


def _versions(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribeAddonVersions: the versions that the settings know."""
    wanted, release = asked.given.get("addonName"), asked.given.get("kubernetesVersion")
    found: dict[str, dict[str, list[Any]]] = {}
    for kubernetes, known in RELEASES.items():
        for name, version in known.addons.items():
            if wanted in (None, name) and release in (None, kubernetes):
                compatible = {
                    "clusterVersion": kubernetes,
                    "platformVersions": ["*"],
                    "defaultVersion": True,
                }
                found.setdefault(name, {}).setdefault(version, []).append(compatible)
    if wanted and not found:
        raise Refusal("ResourceNotFoundException", f"The lab knows no add-on {wanted}")
    return page(asked, "addons", (_listed(name, found[name]) for name in sorted(found)))


def _listed(name: str, versions: dict[str, list[Any]]) -> Body:
    return {
        "addonName": name,
        "owner": "aws",
        "publisher": "eks",
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "compatibilities": versions[version],
                "requiresConfiguration": False,
                "requiresIamPermissions": name == "vpc-cni",
            }
            for version in sorted(versions, reverse=True)
        ],
    }


STAND_INS: StandIns = {
    ("eks", "CreateAddon"): _create,
    ("eks", "DescribeAddon"): _describe,
    ("eks", "ListAddons"): _list,
    ("eks", "UpdateAddon"): _update,
    ("eks", "DeleteAddon"): _delete,
    ("eks", "DescribeAddonVersions"): _versions,
}
