"""Operations that moto lacks, or answers while forgetting what it was told.

A stand-in gets the parameters after they passed botocore's models, and `send` to ask moto itself.
What it has to remember goes to the kept file, under AWS's own names: the cluster's door reads the
access entries there.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Mapping
from typing import Any

from lab.aws.api import Aws, Send, Standin
from lab.aws.errors import RefusedError

Body = dict[str, Any]

ZONES_OF_CLUSTER = 2
"""Zones that the subnets of a cluster must span."""

CLUSTER, NODE_GROUP = "eks/Cluster", "eks/NodeGroup"
ENTRY, POLICY = "eks/AccessEntry", "eks/AccessPolicyAssociation"
ADDON, IDENTITY = "eks/Addon", "eks/PodIdentityAssociation"
OIDC_PROVIDER, LOG_GROUP = "iam/OpenIDConnectProvider", "logs/LogGroup"

FORGOTTEN_OF_CLUSTER = (
    "accessConfig",
    "deletionProtection",
    "upgradePolicy",
    "zonalShiftConfig",
    "kubernetesNetworkConfig",
    "logging",
    "resourcesVpcConfig",
)
FORGOTTEN_OF_NODE_GROUP = ("updateConfig", "nodeRepairConfig", "labels", "taints", "scalingConfig")


def _key(parameters: Mapping[str, Any], *names: str) -> str:
    return "/".join(str(parameters[name]) for name in names)


def _arn(aws: Aws, kind: str, *parts: str) -> str:
    """An ARN with the unique ending that EKS gives what lives inside a cluster."""
    ending = uuid.UUID(hashlib.md5("/".join(parts).encode(), usedforsecurity=False).hexdigest())
    return f"arn:aws:eks:{aws.region}:{aws.account}:{kind}/{'/'.join(parts)}/{ending}"


def _missing(operation: str, what: str) -> RefusedError:
    return RefusedError("eks", operation, "ResourceNotFoundException", f"{what} does not exist")


def _taken(operation: str, what: str) -> RefusedError:
    return RefusedError("eks", operation, "ResourceInUseException", f"{what} already exists")


def _now() -> int:
    return int(time.time())


# --- clusters


def environment_of(cluster: str) -> str:
    """The lab's environment that plays a cluster: the last part of its name."""
    return cluster.rsplit("-", 1)[-1]


def _create_cluster(aws: Aws, send: Send, given: Body) -> Body:
    vpc = _vpc_of_subnets(aws, given["resourcesVpcConfig"].get("subnetIds", []))
    answer = send()
    remembered = {name: given[name] for name in FORGOTTEN_OF_CLUSTER if name in given}
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
    _existing_cluster(aws, given["name"])
    before = aws.kept.get(CLUSTER, given["name"]) or {}
    changes = {
        name: _merged(before.get(name), value)
        for name, value in given.items()
        if name in FORGOTTEN_OF_CLUSTER
    }
    aws.kept.merge(CLUSTER, given["name"], changes)
    return _update_done("ConfigUpdate")


def _update_cluster_version(aws: Aws, send: Send, given: Body) -> Body:
    _existing_cluster(aws, given["name"])
    aws.kept.merge(CLUSTER, given["name"], {"version": given["version"]})
    return _update_done("VersionUpdate")


def _associate_encryption(aws: Aws, send: Send, given: Body) -> Body:
    _existing_cluster(aws, given["clusterName"])
    changes = {"encryptionConfig": given["encryptionConfig"]}
    aws.kept.merge(CLUSTER, given["clusterName"], changes)
    return _update_done("AssociateEncryptionConfig")


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


def _existing_cluster(aws: Aws, name: str) -> None:
    aws.call("eks", "describe_cluster", name=name)


def _update_done(kind: str) -> Body:
    return {"update": {"id": str(uuid.uuid4()), "status": "Successful", "type": kind}}


def _merged(before: Any, change: Any) -> Any:
    both = isinstance(before, dict) and isinstance(change, dict)
    return {**before, **change} if both else change


# --- node groups


def _create_node_group(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    remembered = {name: given[name] for name in FORGOTTEN_OF_NODE_GROUP if name in given}
    version = given.get("version") or _version_of(aws, given["clusterName"])
    remembered |= {"version": version, "launchTemplate": given.get("launchTemplate")}
    remembered["releaseVersion"] = given.get("releaseVersion", f"{version}.0-20260101")
    for name, default in (("amiType", "AL2023_x86_64_STANDARD"), ("diskSize", 20)):
        remembered[name] = given.get(name, default)
    if "launchTemplate" in given and "diskSize" not in given:
        del remembered["diskSize"]
    aws.kept.put(NODE_GROUP, _key(given, "clusterName", "nodegroupName"), remembered)
    return answer


def _version_of(aws: Aws, cluster: str) -> str:
    return str(aws.call("eks", "describe_cluster", name=cluster)["cluster"]["version"])


def _describe_node_group(aws: Aws, send: Send, given: Body) -> Body:
    group = send()["nodegroup"]
    remembered = aws.kept.get(NODE_GROUP, _key(given, "clusterName", "nodegroupName")) or {}
    for invented in ("remoteAccess", *(("diskSize",) if remembered.get("launchTemplate") else ())):
        group.pop(invented, None)
    return {"nodegroup": {**group, **remembered}}


def _update_node_group_config(aws: Aws, send: Send, given: Body) -> Body:
    key = _key(given, "clusterName", "nodegroupName")
    before = aws.call(
        "eks",
        "describe_nodegroup",
        clusterName=given["clusterName"],
        nodegroupName=given["nodegroupName"],
    )["nodegroup"]
    changes: Body = {
        name: _merged(before.get(name), given[name])
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
    return _update_done("ConfigUpdate")


def _update_node_group_version(aws: Aws, send: Send, given: Body) -> Body:
    key = _key(given, "clusterName", "nodegroupName")
    names = ("version", "releaseVersion", "launchTemplate")
    aws.kept.merge(NODE_GROUP, key, {name: given[name] for name in names if name in given})
    return _update_done("VersionUpdate")


def _delete_node_group(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    aws.kept.drop(NODE_GROUP, _key(given, "clusterName", "nodegroupName"))
    return answer


# --- what lives inside a cluster, by one pattern


def _lifecycle(
    *,
    kind: str,
    noun: str,
    result: str,
    key: tuple[str, ...],
    arn: tuple[str, str],
    local: tuple[str, ...] = (),
) -> dict[tuple[str, str], Standin]:
    """create, describe, update and delete of a thing that is its parameters and an ARN."""

    def create(aws: Aws, send: Send, given: Body) -> Body:
        _existing_cluster(aws, given["clusterName"])
        label = _key(given, *key)
        member, resource = arn
        stamped = {name: value for name, value in given.items() if name not in local}
        stamped |= {member: _arn(aws, resource, *label.split("/", len(key) - 1))}
        stamped |= {"createdAt": _now(), "modifiedAt": _now()}
        if not aws.kept.add(kind, label, stamped):
            raise _taken(f"create_{noun}", label)
        return {result: stamped}

    def describe(aws: Aws, send: Send, given: Body) -> Body:
        body = aws.kept.get(kind, _key(given, *key))
        if body is None:
            raise _missing(f"describe_{noun}", _key(given, *key))
        return {result: body}

    def update(aws: Aws, send: Send, given: Body) -> Body:
        describe(aws, send, given)
        changes = {name: value for name, value in given.items() if name not in local}
        return {result: aws.kept.merge(kind, _key(given, *key), changes | {"modifiedAt": _now()})}

    def delete(aws: Aws, send: Send, given: Body) -> Body:
        if aws.kept.drop(kind, _key(given, *key)) is None:
            raise _missing(f"delete_{noun}", _key(given, *key))
        return {}

    verbs = {"create": create, "describe": describe, "update": update, "delete": delete}
    return {("eks", f"{verb}_{noun}"): act for verb, act in verbs.items()}


def _create_entry(aws: Aws, send: Send, given: Body) -> Body:
    name = given["principalArn"].rsplit("/", 1)[-1]
    session = f"arn:aws:sts::{aws.account}:assumed-role/{name}/{{{{SessionName}}}}"
    user = session if ":role/" in given["principalArn"] else given["principalArn"]
    whole = {"kubernetesGroups": [], "type": "STANDARD", "username": user, **given}
    return _ENTRIES["eks", "create_access_entry"](aws, send, whole)


def _delete_entry(aws: Aws, send: Send, given: Body) -> Body:
    answer = _ENTRIES["eks", "delete_access_entry"](aws, send, given)
    prefix = _key(given, "clusterName", "principalArn") + "/"
    for key in [key for key in aws.kept.all(POLICY) if key.startswith(prefix)]:
        aws.kept.drop(POLICY, key)
    return answer


def _create_addon(aws: Aws, send: Send, given: Body) -> Body:
    whole = {"addonVersion": "default", "status": "ACTIVE", **given}
    return _ADDONS["eks", "create_addon"](aws, send, whole)


_ENTRIES = _lifecycle(
    kind=ENTRY,
    noun="access_entry",
    result="accessEntry",
    key=("clusterName", "principalArn"),
    arn=("accessEntryArn", "access-entry"),
)
_ADDONS = _lifecycle(
    kind=ADDON,
    noun="addon",
    result="addon",
    key=("clusterName", "addonName"),
    arn=("addonArn", "addon"),
    local=("resolveConflicts", "podIdentityAssociations"),
)
_IDENTITIES = _lifecycle(
    kind=IDENTITY,
    noun="pod_identity_association",
    result="association",
    key=("clusterName", "associationId"),
    arn=("associationArn", "podidentityassociation"),
)


def _associate_policy(aws: Aws, send: Send, given: Body) -> Body:
    entry = aws.kept.get(ENTRY, _key(given, "clusterName", "principalArn"))
    if entry is None:
        raise _missing("associate_access_policy", f"the access entry of {given['principalArn']}")
    if entry["type"] != "STANDARD":
        raise RefusedError(
            "eks",
            "associate_access_policy",
            "InvalidRequestException",
            f"an access entry of type {entry['type']} takes no policy",
        )
    body = aws.kept.merge(
        POLICY,
        _key(given, "clusterName", "principalArn", "policyArn"),
        {**given, "associatedAt": _now(), "modifiedAt": _now()},
    )
    return {"associatedAccessPolicy": body}


def _associated_policies(aws: Aws, send: Send, given: Body) -> Body:
    prefix = _key(given, "clusterName", "principalArn") + "/"
    found = [body for key, body in aws.kept.all(POLICY).items() if key.startswith(prefix)]
    return {"associatedAccessPolicies": found}


def _disassociate_policy(aws: Aws, send: Send, given: Body) -> Body:
    key = _key(given, "clusterName", "principalArn", "policyArn")
    if aws.kept.drop(POLICY, key) is None:
        raise _missing("disassociate_access_policy", key)
    return {}


def _create_identity(aws: Aws, send: Send, given: Body) -> Body:
    same = [
        body
        for body in aws.kept.all(IDENTITY).values()
        if _key(body, "clusterName", "namespace", "serviceAccount")
        == _key(given, "clusterName", "namespace", "serviceAccount")
    ]
    if same:
        raise _taken("create_pod_identity_association", _key(given, "namespace", "serviceAccount"))
    identifier = f"a-{uuid.uuid4().hex[:17]}"
    whole = {"disableSessionTags": False, **given, "associationId": identifier}
    return _IDENTITIES["eks", "create_pod_identity_association"](aws, send, whole)


def _list_identities(aws: Aws, send: Send, given: Body) -> Body:
    bodies = aws.kept.all(IDENTITY).values()
    return {
        "associations": [body for body in bodies if body["clusterName"] == given["clusterName"]]
    }


# --- tags of what is kept here


def _tag(aws: Aws, send: Send, given: Body) -> Body:
    return _retagged(aws, send, given, lambda tags: {**tags, **given["tags"]})


def _untag(aws: Aws, send: Send, given: Body) -> Body:
    gone = given["tagKeys"]
    return _retagged(
        aws, send, given, lambda tags: {key: tags[key] for key in tags if key not in gone}
    )


def _retagged(aws: Aws, send: Send, given: Body, change: Any) -> Body:
    for kind, member in (
        (ENTRY, "accessEntryArn"),
        (ADDON, "addonArn"),
        (IDENTITY, "associationArn"),
    ):
        for key, body in aws.kept.all(kind).items():
            if body.get(member) == given["resourceArn"]:
                aws.kept.merge(kind, key, {"tags": change(body.get("tags", {}))})
                return {}
    return send()


# --- other services


def _describe_repositories(aws: Aws, send: Send, given: Body) -> Body:
    """Repositories live in the lab's registry."""
    answer = send()
    for repository in answer["repositories"]:
        repository["repositoryUri"] = f"{aws.site.registry_host}/{repository['repositoryName']}"
    return answer


def _modify_endpoint(aws: Aws, send: Send, given: Body) -> Body:
    """moto lists the route tables of a changed gateway endpoint, but sets no route in them, and
    then cannot delete the endpoint."""
    answer = send()
    endpoint = aws.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[given["VpcEndpointId"]])
    service = endpoint["VpcEndpoints"][0]["ServiceName"]
    named = [{"Name": "prefix-list-name", "Values": [service]}]
    lists = aws.call("ec2", "describe_managed_prefix_lists", Filters=named)["PrefixLists"]
    for prefixes in (one["PrefixListId"] for one in lists):
        for table in given.get("AddRouteTableIds", []):
            aws.call(
                "ec2",
                "create_route",
                RouteTableId=table,
                DestinationPrefixListId=prefixes,
                GatewayId=given["VpcEndpointId"],
            )
        for table in given.get("RemoveRouteTableIds", []):
            aws.call("ec2", "delete_route", RouteTableId=table, DestinationPrefixListId=prefixes)
    return answer


def _delete_nat_gateway(aws: Aws, send: Send, given: Body) -> Body:
    """moto leaves the address of a deleted gateway in use."""
    answer = send()
    gateways = aws.call("ec2", "describe_nat_gateways", NatGatewayIds=[given["NatGatewayId"]])
    used = gateways["NatGateways"][0]["NatGatewayAddresses"]
    addresses = aws.call(
        "ec2",
        "describe_addresses",
        Filters=[{"Name": "allocation-id", "Values": [one["AllocationId"] for one in used]}],
    )["Addresses"]
    for association in (one["AssociationId"] for one in addresses if one.get("AssociationId")):
        aws.call("ec2", "disassociate_address", AssociationId=association)
    return answer


def _describe_template_versions(aws: Aws, send: Send, given: Body) -> Body:
    """moto files the template's own tags among those of its instances."""
    answer = send()
    for version in answer["LaunchTemplateVersions"]:
        data = version["LaunchTemplateData"]
        if "TagSpecifications" in data:
            data["TagSpecifications"] = [
                one for one in data["TagSpecifications"] if one["ResourceType"] != "launch-template"
            ]
    return answer


def _add_client(aws: Aws, send: Send, given: Body) -> Body:
    return _clients(aws, given, lambda clients: [*clients, given["ClientID"]])


def _remove_client(aws: Aws, send: Send, given: Body) -> Body:
    return _clients(
        aws, given, lambda clients: [one for one in clients if one != given["ClientID"]]
    )


def _clients(aws: Aws, given: Body, change: Any) -> Body:
    arn = given["OpenIDConnectProviderArn"]
    provider = aws.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    aws.kept.merge(OIDC_PROVIDER, arn, {"ClientIDList": change(provider["ClientIDList"])})
    return {}


def _get_oidc_provider(aws: Aws, send: Send, given: Body) -> Body:
    remembered = aws.kept.get(OIDC_PROVIDER, given["OpenIDConnectProviderArn"]) or {}
    return {**send(), **remembered}


def _delete_oidc_provider(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    aws.kept.drop(OIDC_PROVIDER, given["OpenIDConnectProviderArn"])
    return answer


STANDINS: dict[tuple[str, str], Standin] = {
    ("eks", "create_cluster"): _create_cluster,
    ("eks", "describe_cluster"): _describe_cluster,
    ("eks", "update_cluster_config"): _update_cluster_config,
    ("eks", "update_cluster_version"): _update_cluster_version,
    ("eks", "associate_encryption_config"): _associate_encryption,
    ("eks", "delete_cluster"): _delete_cluster,
    ("eks", "create_nodegroup"): _create_node_group,
    ("eks", "describe_nodegroup"): _describe_node_group,
    ("eks", "update_nodegroup_config"): _update_node_group_config,
    ("eks", "update_nodegroup_version"): _update_node_group_version,
    ("eks", "delete_nodegroup"): _delete_node_group,
    **_ENTRIES,
    **_ADDONS,
    **_IDENTITIES,
    ("eks", "create_access_entry"): _create_entry,
    ("eks", "delete_access_entry"): _delete_entry,
    ("eks", "create_addon"): _create_addon,
    ("eks", "associate_access_policy"): _associate_policy,
    ("eks", "list_associated_access_policies"): _associated_policies,
    ("eks", "disassociate_access_policy"): _disassociate_policy,
    ("eks", "create_pod_identity_association"): _create_identity,
    ("eks", "list_pod_identity_associations"): _list_identities,
    ("eks", "tag_resource"): _tag,
    ("eks", "untag_resource"): _untag,
    ("ecr", "describe_repositories"): _describe_repositories,
    ("ec2", "modify_vpc_endpoint"): _modify_endpoint,
    ("ec2", "delete_nat_gateway"): _delete_nat_gateway,
    ("ec2", "describe_launch_template_versions"): _describe_template_versions,
    ("iam", "add_client_id_to_open_id_connect_provider"): _add_client,
    ("iam", "remove_client_id_from_open_id_connect_provider"): _remove_client,
    ("iam", "get_open_id_connect_provider"): _get_oidc_provider,
    ("iam", "delete_open_id_connect_provider"): _delete_oidc_provider,
}
