"""Add-ons of clusters, with the pod identity associations that they own."""

from __future__ import annotations

from typing import Any

from lab.aws_api.answers import Refusal
from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    ADDON,
    IDENTITY,
    arn_of,
    cluster_of,
    key_of,
    page,
    stored,
    taken,
    unique,
    update_started,
    without,
)
from lab.aws_api.stand_ins.eks_pod_identities import associate, owned
from settings.eks_releases import METRICS, RELEASES

_KEY = ("clusterName", "addonName")
_STEERING = ("resolveConflicts", "preserve", "podIdentityAssociations")
NAMESPACE = "kube-system"
"""The namespace of AWS's own add-ons, unless another is given."""
_OWN_NAMESPACE = {"amazon-cloudwatch-observability": "amazon-cloudwatch"}
"""Of add-ons that AWS puts elsewhere."""
_UNPINNED = {METRICS: "v0.8.0-eksbuild.1", "amazon-cloudwatch-observability": "v4.10.0-eksbuild.1"}
"""Add-ons whose version the settings leave to EKS; the lab's stands for whatever EKS chooses."""


def _create(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, CreateAddon."""
    given, key = request.given, key_of(request.given, *_KEY)
    cluster = cluster_of(request, given["clusterName"])
    if request.store.get(ADDON, key):
        raise taken(f"The add-on {key}")
    usual = _OWN_NAMESPACE.get(given["addonName"], NAMESPACE)
    namespace = (given.get("namespaceConfig") or {}).get("namespace", usual)
    addon = {
        "addonVersion": given.get("addonVersion") or _default(given["addonName"], cluster),
        "tags": {},
        **without(given, *_STEERING),
        "namespaceConfig": {"namespace": namespace},
        "status": "ACTIVE",
        "health": {"issues": []},
        "addonArn": arn_of(request, "addon", *key.split("/"), unique()),
        "createdAt": request.now,
        "modifiedAt": request.now,
        "owner": "aws",
        "publisher": "eks",
    }
    _own(request, addon, given.get("podIdentityAssociations", []))
    request.store.put(ADDON, key, addon)
    return {"addon": {**_whole(request, addon), "status": "CREATING"}}


def _default(name: str, cluster: Body) -> str:
    """The version that a cluster gets when none is named."""
    release = RELEASES.get(cluster["version"])
    for known, version in [*(release.addons if release else {}).items(), *_UNPINNED.items()]:
        if known == name:
            return version
    raise Refusal(
        "InvalidParameterException",
        f"The lab knows no default version of add-on {name} on Kubernetes {cluster['version']}: "
        "name one with addonVersion",
    )


def _own(request: ApiRequest, addon: Body, wanted: list[Body]) -> None:
    """Set the associations of an add-on."""
    for key in owned(request, addon["clusterName"], addon["addonArn"]):
        request.store.drop(IDENTITY, key)
    for one in wanted:
        within = {
            "clusterName": addon["clusterName"],
            "namespace": addon["namespaceConfig"]["namespace"],
            "ownerArn": addon["addonArn"],
        }
        associate(request, {**one, **within})


def _whole(request: ApiRequest, addon: Body) -> Body:
    """The add-on as AWS describes it, with the ARNs of its associations."""
    associations = owned(request, addon["clusterName"], addon["addonArn"]).values()
    return {**addon, "podIdentityAssociations": [one["associationArn"] for one in associations]}


def _describe(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribeAddon."""
    return {"addon": _whole(request, stored(request, ADDON, key_of(request.given, *_KEY)))}


def _list(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, ListAddons."""
    cluster = request.given["clusterName"]
    cluster_of(request, cluster)
    found = request.store.all(ADDON, f"{cluster}/").values()
    return page(request, "addons", (one["addonName"] for one in found))


def _update(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdateAddon: it answers with an update, not with the add-on.

    A list of associations replaces those that the add-on owns; without a list they stay.
    """
    given, key = request.given, key_of(request.given, *_KEY)
    addon = stored(request, ADDON, key)
    if "podIdentityAssociations" in given:
        _own(request, addon, given["podIdentityAssociations"])
    changes = {**without(given, *_STEERING), "modifiedAt": request.now}
    request.store.merge(ADDON, key, changes)
    addon_name = given["addonName"]
    return update_started(request, given["clusterName"], "AddonUpdate", addonName=addon_name)


def _delete(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DeleteAddon."""
    key = key_of(request.given, *_KEY)
    addon = _whole(request, stored(request, ADDON, key))
    _own(request, addon, [])
    request.store.drop(ADDON, key)
    return {"addon": {**addon, "status": "DELETING"}}


def _versions(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribeAddonVersions: the versions that the settings know."""
    wanted, release = request.given.get("addonName"), request.given.get("kubernetesVersion")
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
    return page(request, "addons", (_listed(name, found[name]) for name in sorted(found)))


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
