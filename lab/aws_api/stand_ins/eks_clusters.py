"""Clusters: what moto does not store of them, and the lab's own API server as endpoint."""

from __future__ import annotations

import base64

from lab.aws_api.answers import Refusal
from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import (
    ADDON,
    CLUSTER,
    ENTRY,
    IDENTITY,
    POLICY,
    UPDATE,
    cluster_of,
    merged,
    update_started,
)

ZONES = 2
"""Zones that the subnets of a cluster must span."""
FORGOTTEN = (
    "accessConfig",
    "deletionProtection",
    "upgradePolicy",
    "zonalShiftConfig",
    "kubernetesNetworkConfig",
    "logging",
    "resourcesVpcConfig",
    "computeConfig",
    "storageConfig",
)
_ACCESS = {
    "authenticationMode": "CONFIG_MAP",
    "bootstrapClusterCreatorAdminPermissions": True,
}
_NETWORK = {
    "endpointPublicAccess": True,
    "endpointPrivateAccess": False,
    "publicAccessCidrs": ["0.0.0.0/0"],
}


def environment_of(cluster: str) -> str:
    """The lab's environment behind a cluster: the last part of the cluster's name."""
    return cluster.rsplit("-", 1)[-1]


def _create(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, CreateCluster."""
    given = request.given
    _wholly_auto_or_not(given)
    vpc = _vpc_of_subnets(request, given["resourcesVpcConfig"].get("subnetIds", []))
    cluster = request.moto()["cluster"]
    remembered = {name: given[name] for name in FORGOTTEN if name in given}
    remembered["createdAt"] = request.now
    remembered["accessConfig"] = {**_ACCESS, **given.get("accessConfig", {})}
    remembered["resourcesVpcConfig"] = {
        **_NETWORK,
        **given["resourcesVpcConfig"],
        "vpcId": vpc,
        "clusterSecurityGroupId": _security_group(request, given["name"], vpc),
    }
    request.store.put(CLUSTER, given["name"], remembered)
    return {"cluster": {**_as_played(request, cluster), "status": "CREATING"}}


def _wholly_auto_or_not(given: Body) -> None:
    """EKS User Guide, Auto Mode: compute, disks and load balancing are on together or off."""
    balancing = given.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing")
    disks = given.get("storageConfig", {}).get("blockStorage")
    switches = [given.get("computeConfig"), balancing, disks]
    if len({bool(switch and switch.get("enabled")) for switch in switches}) > 1:
        raise Refusal(
            "InvalidParameterException",
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
            "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully "
            "disabled.",
        )


def _vpc_of_subnets(request: ApiRequest, subnets: list[str]) -> str:
    """EKS requires existing subnets in two zones of one VPC; moto accepts any."""
    try:
        found = request.ask("ec2", "DescribeSubnets", SubnetIds=subnets)["Subnets"]
    except Refusal as missing:
        raise Refusal("InvalidParameterException", str(missing)) from missing
    if len({subnet["AvailabilityZone"] for subnet in found}) < ZONES:
        raise Refusal(
            "InvalidParameterException", "Subnets specified must be in at least two different AZs"
        )
    vpcs = {subnet["VpcId"] for subnet in found}
    if len(vpcs) > 1:
        raise Refusal("InvalidParameterException", "Subnets specified must belong to the same VPC")
    return str(vpcs.pop())


def _security_group(request: ApiRequest, cluster: str, vpc: str) -> str:
    """The security group that EKS creates for a cluster and deletes with it."""
    name = f"eks-cluster-sg-{cluster}"
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
    existing = request.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    if existing:
        return str(existing[0]["GroupId"])
    made = request.ask(
        "ec2",
        "CreateSecurityGroup",
        GroupName=name,
        Description="EKS created security group applied to ENIs of the control plane",
        VpcId=vpc,
    )
    return str(made["GroupId"])


def _describe(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribeCluster."""
    return {"cluster": _as_played(request, request.moto()["cluster"])}


def _as_played(request: ApiRequest, cluster: Body) -> Body:
    """The cluster with what moto did not store, and the lab's own API server as endpoint."""
    played = {**cluster, **(request.store.get(CLUSTER, cluster["name"]) or {})}
    environment = environment_of(cluster["name"])
    if environment in request.site.environments:
        played["endpoint"] = request.site.url("apiserver", environment, scheme="https")
        authority = request.site.certificate_authority(environment)
        if authority.exists():
            data = base64.b64encode(authority.read_bytes()).decode()
            played["certificateAuthority"] = {"data": data}
    return played


def _update_config(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdateClusterConfig."""
    given, name = request.given, request.given["name"]
    _wholly_auto_or_not(given)
    cluster = cluster_of(request, name)
    changes = {
        member: merged(cluster.get(member), given[member])
        for member in FORGOTTEN
        if member in given and member != "logging"
    }
    if "logging" in given:
        changes["logging"] = _logging(cluster.get("logging", {}), given["logging"])
    request.store.merge(CLUSTER, name, changes)
    return update_started(request, name, _update_type(given))


def _logging(before: Body, change: Body) -> Body:
    """The types of logs that are on and off: a change names only what it changes."""
    states = {
        kind: setup.get("enabled", False)
        for logging in (before, change)
        for setup in logging.get("clusterLogging", [])
        for kind in setup.get("types", [])
    }
    by_state = {
        state: sorted(kind for kind in states if states[kind] is state) for state in (True, False)
    }
    return {
        "clusterLogging": [
            {"types": types, "enabled": state} for state, types in by_state.items() if types
        ]
    }


def _update_type(given: Body) -> str:
    """The type of the update, by the first thing that it changes."""
    types = {
        "logging": "LoggingUpdate",
        "accessConfig": "AccessConfigUpdate",
        "upgradePolicy": "UpgradePolicyUpdate",
        "zonalShiftConfig": "ZonalShiftConfigUpdate",
        "deletionProtection": "DeletionProtectionUpdate",
        "computeConfig": "AutoModeUpdate",
    }
    if "endpointPublicAccess" in given.get("resourcesVpcConfig", {}):
        return "EndpointAccessUpdate"
    if "resourcesVpcConfig" in given:
        return "VpcConfigUpdate"
    return next((kind for member, kind in types.items() if member in given), "ConfigUpdate")


def _update_version(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, UpdateClusterVersion: one minor version up, never down."""
    name, wanted = request.given["name"], request.given["version"]
    before = str(cluster_of(request, name)["version"])
    if _minor(wanted) not in (_minor(before), _minor(before) + 1):
        raise Refusal(
            "InvalidParameterException",
            f"Unsupported Kubernetes minor version update from {before} to {wanted}",
        )
    request.store.merge(CLUSTER, name, {"version": wanted})
    return update_started(request, name, "VersionUpdate")


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _associate_encryption(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, AssociateEncryptionConfig."""
    name = request.given["clusterName"]
    cluster_of(request, name)
    request.store.merge(CLUSTER, name, {"encryptionConfig": request.given["encryptionConfig"]})
    return update_started(request, name, "AssociateEncryptionConfig")


def _delete(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DeleteCluster; what is in the cluster is deleted with it."""
    name = request.given["name"]
    cluster = cluster_of(request, name)
    if cluster.get("deletionProtection"):
        raise Refusal("InvalidRequestException", f"{name} is protected from deletion")
    request.moto()
    request.store.drop(CLUSTER, name)
    group = cluster["resourcesVpcConfig"].get("clusterSecurityGroupId")
    if group:
        request.ask("ec2", "DeleteSecurityGroup", GroupId=group)
    for kind in (ENTRY, POLICY, ADDON, IDENTITY, UPDATE):
        for key in request.store.all(kind, f"{name}/"):
            request.store.drop(kind, key)
    return {"cluster": {**cluster, "status": "DELETING"}}


STAND_INS: StandIns = {
    ("eks", "CreateCluster"): _create,
    ("eks", "DescribeCluster"): _describe,
    ("eks", "UpdateClusterConfig"): _update_config,
    ("eks", "UpdateClusterVersion"): _update_version,
    ("eks", "AssociateEncryptionConfig"): _associate_encryption,
    ("eks", "DeleteCluster"): _delete,
}
