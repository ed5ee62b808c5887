"""Clusters: what moto forgets of them, and the lab's own API server behind their endpoint."""

from __future__ import annotations

import base64

from lab.aws_api.answers import Refusal
from lab.aws_api.asked import Asked, StandIns
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
    """The lab's environment that plays a cluster: the last part of its name."""
    return cluster.rsplit("-", 1)[-1]


def _create(asked: Asked) -> Body:
    """Amazon EKS API Reference, CreateCluster."""
    given = asked.given
    vpc = _vpc_of_subnets(asked, given["resourcesVpcConfig"].get("subnetIds", []))
    cluster = asked.moto()["cluster"]
    remembered = {name: given[name] for name in FORGOTTEN if name in given}
    remembered["createdAt"] = asked.now
    remembered["accessConfig"] = {**_ACCESS, **given.get("accessConfig", {})}
    remembered["resourcesVpcConfig"] = {
        **_NETWORK,
        **given["resourcesVpcConfig"],
        "vpcId": vpc,
        "clusterSecurityGroupId": _security_group(asked, given["name"], vpc),
    }
    asked.shelves.put(CLUSTER, given["name"], remembered)
    return {"cluster": {**_as_played(asked, cluster), "status": "CREATING"}}


def _vpc_of_subnets(asked: Asked, subnets: list[str]) -> str:
    """EKS insists on existing subnets in two zones of one VPC; moto takes any."""
    try:
        found = asked.ask("ec2", "DescribeSubnets", SubnetIds=subnets)["Subnets"]
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


def _security_group(asked: Asked, cluster: str, vpc: str) -> str:
    """The security group that EKS makes for a cluster and deletes with it."""
    name = f"eks-cluster-sg-{cluster}"
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
    existing = asked.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    if existing:
        return str(existing[0]["GroupId"])
    made = asked.ask(
        "ec2",
        "CreateSecurityGroup",
        GroupName=name,
        Description="EKS created security group applied to ENIs of the control plane",
        VpcId=vpc,
    )
    return str(made["GroupId"])


def _describe(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribeCluster."""
    return {"cluster": _as_played(asked, asked.moto()["cluster"])}


def _as_played(asked: Asked, cluster: Body) -> Body:
    """The cluster with what moto forgot, and the lab's own API server behind its endpoint."""
    played = {**cluster, **(asked.shelves.get(CLUSTER, cluster["name"]) or {})}
    environment = environment_of(cluster["name"])
    if environment in asked.site.environments:
        played["endpoint"] = asked.site.url("apiserver", environment, scheme="https")
        authority = asked.site.certificate_authority(environment)
        if authority.exists():
            data = base64.b64encode(authority.read_bytes()).decode()
            played["certificateAuthority"] = {"data": data}
    return played


def _update_config(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdateClusterConfig."""
    given, name = asked.given, asked.given["name"]
    cluster = cluster_of(asked, name)
    changes = {
        member: merged(cluster.get(member), given[member])
        for member in FORGOTTEN
        if member in given and member != "logging"
    }
    if "logging" in given:
        changes["logging"] = _logging(cluster.get("logging", {}), given["logging"])
    asked.shelves.merge(CLUSTER, name, changes)
    return update_started(asked, name, _update_type(given))


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


def _update_version(asked: Asked) -> Body:
    """Amazon EKS API Reference, UpdateClusterVersion: one minor version up, never down."""
    name, wanted = asked.given["name"], asked.given["version"]
    before = str(cluster_of(asked, name)["version"])
    if _minor(wanted) not in (_minor(before), _minor(before) + 1):
        raise Refusal(
            "InvalidParameterException",
            f"Unsupported Kubernetes minor version update from {before} to {wanted}",
        )
    asked.shelves.merge(CLUSTER, name, {"version": wanted})
    return update_started(asked, name, "VersionUpdate")


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _associate_encryption(asked: Asked) -> Body:
    """Amazon EKS API Reference, AssociateEncryptionConfig."""
    name = asked.given["clusterName"]
    cluster_of(asked, name)
    asked.shelves.merge(CLUSTER, name, {"encryptionConfig": asked.given["encryptionConfig"]})
    return update_started(asked, name, "AssociateEncryptionConfig")


def _delete(asked: Asked) -> Body:
    """Amazon EKS API Reference, DeleteCluster; what lives inside goes with the cluster."""
    name = asked.given["name"]
    cluster = cluster_of(asked, name)
    if cluster.get("deletionProtection"):
        raise Refusal("InvalidRequestException", f"{name} is protected from deletion")
    asked.moto()
    asked.shelves.drop(CLUSTER, name)
    group = cluster["resourcesVpcConfig"].get("clusterSecurityGroupId")
    if group:
        asked.ask("ec2", "DeleteSecurityGroup", GroupId=group)
    for kind in (ENTRY, POLICY, ADDON, IDENTITY, UPDATE):
        for key in asked.shelves.all(kind, f"{name}/"):
            asked.shelves.drop(kind, key)
    return {"cluster": {**cluster, "status": "DELETING"}}


STAND_INS: StandIns = {
    ("eks", "CreateCluster"): _create,
    ("eks", "DescribeCluster"): _describe,
    ("eks", "UpdateClusterConfig"): _update_config,
    ("eks", "UpdateClusterVersion"): _update_version,
    ("eks", "AssociateEncryptionConfig"): _associate_encryption,
    ("eks", "DeleteCluster"): _delete,
}
