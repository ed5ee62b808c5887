"""Clusters: what moto forgets of them, and the lab's own API server behind their endpoint."""

from __future__ import annotations

import base64

from lab.aws.api import Aws, Send, Standin
from lab.aws.beyond_moto.eks import (
    ADDON,
    CLUSTER,
    ENTRY,
    IDENTITY,
    POLICY,
    Body,
    existing_cluster,
    merged,
    update_done,
)
from lab.aws.errors import RefusedError

ZONES_OF_CLUSTER = 2
"""Zones that the subnets of a cluster must span."""

FORGOTTEN = (
    "accessConfig",
    "deletionProtection",
    "upgradePolicy",
    "zonalShiftConfig",
    "kubernetesNetworkConfig",
    "logging",
    "resourcesVpcConfig",
)


def environment_of(cluster: str) -> str:
    """The lab's environment that plays a cluster: the last part of its name."""
    return cluster.rsplit("-", 1)[-1]


def _create_cluster(aws: Aws, send: Send, given: Body) -> Body:
    vpc = _vpc_of_subnets(aws, given["resourcesVpcConfig"].get("subnetIds", []))
    answer = send()
    remembered = {name: given[name] for name in FORGOTTEN if name in given}
    remembered["resourcesVpcConfig"] = {
        **given["resourcesVpcConfig"],
        "vpcId": vpc,
        "clusterSecurityGroupId": _cluster_group(aws, given["name"], vpc),
    }
    remembered.setdefault("accessConfig", {"authenticationMode": "CONFIG_MAP"})
    remembered["accessConfig"].setdefault("bootstrapClusterCreatorAdminPermissions", True)
    aws.kept.put(CLUSTER, given["name"], remembered)
    return {"cluster": _as_played(aws, answer["cluster"])}


def _vpc_of_subnets(aws: Aws, subnets: list[str]) -> str:
    """EKS insists on existing subnets in two zones of one VPC; moto takes any."""

    def refused(reason: str) -> RefusedError:
        return RefusedError("eks", "create_cluster", "InvalidParameterException", reason)

    try:
        found = aws.call("ec2", "describe_subnets", SubnetIds=subnets)["Subnets"]
    except RefusedError as missing:
        raise refused(str(missing)) from missing
    if len({subnet["AvailabilityZone"] for subnet in found}) < ZONES_OF_CLUSTER:
        raise refused("Subnets specified must be in at least two different AZs")
    vpcs = {subnet["VpcId"] for subnet in found}
    if len(vpcs) > 1:
        raise refused("Subnets specified must belong to the same VPC")
    return str(vpcs.pop())


def _cluster_group(aws: Aws, cluster: str, vpc: str) -> str:
    """The security group that EKS makes for a cluster and deletes with it."""
    name = f"eks-cluster-sg-{cluster}"
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
    existing = aws.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
    if existing:
        return str(existing[0]["GroupId"])
    return str(
        aws.call(
            "ec2",
            "create_security_group",
            GroupName=name,
            Description="EKS created security group applied to ENIs of the control plane",
            VpcId=vpc,
        )["GroupId"]
    )


def _describe_cluster(aws: Aws, send: Send, given: Body) -> Body:
    return {"cluster": _as_played(aws, send()["cluster"])}


def _as_played(aws: Aws, cluster: Body) -> Body:
    """The cluster with what moto forgot, and the lab's own API server behind its endpoint."""
    remembered = aws.kept.get(CLUSTER, cluster["name"]) or {}
    played = {**cluster, **remembered}
    played["resourcesVpcConfig"] = _whole_network(
        {**cluster.get("resourcesVpcConfig", {}), **remembered.get("resourcesVpcConfig", {})}
    )
    environment = environment_of(cluster["name"])
    if environment in aws.site.environments:
        played["endpoint"] = aws.site.url("apiserver", environment, scheme="https")
        authority = aws.site.certificate_authority(environment)
        if authority.exists():
            data = base64.b64encode(authority.read_bytes()).decode()
            played["certificateAuthority"] = {"data": data}
    return played


def _whole_network(network: Body) -> Body:
    """AWS's defaults for what a network configuration leaves out."""
    defaults = {
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["0.0.0.0/0"],
    }
    return {**defaults, **network}


def _update_cluster_config(aws: Aws, send: Send, given: Body) -> Body:
    existing_cluster(aws, given["name"])
    before = aws.kept.get(CLUSTER, given["name"]) or {}
    changes = {
        name: merged(before.get(name), value) for name, value in given.items() if name in FORGOTTEN
    }
    aws.kept.merge(CLUSTER, given["name"], changes)
    return update_done("ConfigUpdate")


def _update_cluster_version(aws: Aws, send: Send, given: Body) -> Body:
    existing_cluster(aws, given["name"])
    aws.kept.merge(CLUSTER, given["name"], {"version": given["version"]})
    return update_done("VersionUpdate")


def _associate_encryption(aws: Aws, send: Send, given: Body) -> Body:
    existing_cluster(aws, given["clusterName"])
    changes = {"encryptionConfig": given["encryptionConfig"]}
    aws.kept.merge(CLUSTER, given["clusterName"], changes)
    return update_done("AssociateEncryptionConfig")


def _delete_cluster(aws: Aws, send: Send, given: Body) -> Body:
    name = given["name"]
    if (aws.kept.get(CLUSTER, name) or {}).get("deletionProtection"):
        raise RefusedError(
            "eks", "delete_cluster", "InvalidRequestException", f"{name} is protected from deletion"
        )
    answer = send()
    remembered = aws.kept.drop(CLUSTER, name) or {}
    group = remembered.get("resourcesVpcConfig", {}).get("clusterSecurityGroupId")
    if group:
        aws.call("ec2", "delete_security_group", GroupId=group)
    for kind in (ENTRY, POLICY, ADDON, IDENTITY):
        for key in [key for key in aws.kept.all(kind) if key.startswith(f"{name}/")]:
            aws.kept.drop(kind, key)
    return answer


STANDINS: dict[tuple[str, str], Standin] = {
    ("eks", "create_cluster"): _create_cluster,
    ("eks", "describe_cluster"): _describe_cluster,
    ("eks", "update_cluster_config"): _update_cluster_config,
    ("eks", "update_cluster_version"): _update_cluster_version,
    ("eks", "associate_encryption_config"): _associate_encryption,
    ("eks", "delete_cluster"): _delete_cluster,
}
