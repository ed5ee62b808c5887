"""EKS: clusters, node groups, add-ons, and who may enter."""

from __future__ import annotations

from typing import Any

from lab.aws.kinds.rows import REGION, TAGS, named
from lab.aws.table import Kind, Read, Tagging, Update, Values, optional, output, required

_GONE = ("ResourceNotFoundException",)
_TAGGING = Tagging(address={"resourceArn": "{arn}"})


def _differs(*names: str) -> Any:
    """A block must be replaced only when one of these of its values differs."""

    def replaces(old: Values | None, new: Values | None) -> bool:
        return any((old or {}).get(name) != (new or {}).get(name) for name in names)

    return replaces


def _logging(types: list[str]) -> Values:
    kinds = ("api", "audit", "authenticator", "controllerManager", "scheduler")
    switches = [
        {"types": sorted(types), "enabled": True},
        {"types": [name for name in kinds if name not in types], "enabled": False},
    ]
    return {"clusterLogging": [switch for switch in switches if switch["types"]]}


def _encryption_is_kept(old: Any, new: Any) -> bool:
    """Envelope encryption may be switched on, and never changed or switched off again."""
    return bool(old)


def _no_downgrade(old: Values, new: Values) -> list[tuple[str, str]]:
    before, after = _minor(old.get("version")), _minor(new.get("version"))
    if before is None or after is None or after >= before or old.get("name") != new.get("name"):
        return []
    return [
        (
            "version",
            f"{new['version']} is older than {old['version']}, which the cluster runs: EKS cannot "
            "downgrade. Keep the version, or create another cluster",
        )
    ]


def _minor(version: Any) -> tuple[int, ...] | None:
    parts = str(version).split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else None


CLUSTER = Kind(
    pulumi_type="aws:eks/cluster:Cluster",
    service="eks",
    properties=(
        optional("name", autonamed=True, replaces=True),
        required("roleArn", replaces=True),
        required("vpcConfig", member="resourcesVpcConfig"),
        optional(
            "accessConfig",
            computed=True,
            replaces=_differs("bootstrapClusterCreatorAdminPermissions"),
        ),
        optional("bootstrapSelfManagedAddons", default=True, local=True, replaces=True),
        optional("deletionProtection", computed=True),
        optional(
            "enabledClusterLogTypes",
            unordered=True,
            member="logging",
            seen="logging.clusterLogging[?enabled].types[]",
            write=_logging,
        ),
        optional("encryptionConfig", seen="encryptionConfig[0]", replaces=_encryption_is_kept),
        optional(
            "kubernetesNetworkConfig",
            computed=True,
            replaces=_differs("serviceIpv4Cidr", "ipFamily"),
        ),
        optional("upgradePolicy", computed=True),
        optional("zonalShiftConfig", computed=True),
        optional("version", computed=True),
        REGION,
        *TAGS,
        output("arn"),
        output("certificateAuthority"),
        output("createdAt"),
        output("endpoint"),
        output("identities", "[{oidcs: [identity.oidc]}]"),
        output("platformVersion", volatile=True),
        output("status", volatile=True),
    ),
    create="create_cluster",
    fixed={"bootstrapSelfManagedAddons": "{bootstrapSelfManagedAddons}"},
    identity=("name",),
    address={"name": "{id}"},
    read=Read(operation="describe_cluster", parameters={"name": "{id}"}, at="cluster"),
    updates=(
        Update(
            operation="update_cluster_version",
            sets=("version",),
        ),
        Update(
            operation="update_cluster_config",
            sets=("accessConfig",),
            compose=lambda state: {
                "accessConfig": {"authenticationMode": state["accessConfig"]["authenticationMode"]}
            },
        ),
        Update(operation="update_cluster_config", sets=("vpcConfig",)),
        Update(operation="update_cluster_config", sets=("enabledClusterLogTypes",)),
        Update(operation="update_cluster_config", sets=("upgradePolicy",)),
        Update(operation="update_cluster_config", sets=("zonalShiftConfig",)),
        Update(operation="update_cluster_config", sets=("deletionProtection",)),
        Update(
            operation="associate_encryption_config",
            sets=("encryptionConfig",),
            parameters={"clusterName": "{id}"},
        ),
    ),
    delete="delete_cluster",
    gone=_GONE,
    tagging=_TAGGING,
    clashes=True,
    rules=_no_downgrade,
)

NODE_GROUP = Kind(
    pulumi_type="aws:eks/nodeGroup:NodeGroup",
    service="eks",
    properties=(
        required("clusterName", replaces=True),
        *named("nodeGroupName", member="nodegroupName"),
        required("nodeRoleArn", member="nodeRole", replaces=True),
        required("scalingConfig"),
        required("subnetIds", member="subnets", unordered=True, replaces=True),
        optional("amiType", computed=True, replaces=True),
        optional("capacityType", computed=True, replaces=True),
        optional("diskSize", computed=True, replaces=True),
        optional("forceUpdateVersion", local=True),
        optional("instanceTypes", computed=True, replaces=True),
        optional("labels", verbatim=True),
        optional("launchTemplate", replaces=_differs("id", "name")),
        optional("nodeRepairConfig", computed=True),
        optional("releaseVersion", computed=True),
        optional("remoteAccess", replaces=True, computed=True),
        optional("taints", unordered=True),
        optional("updateConfig", computed=True),
        optional("version", computed=True),
        REGION,
        *TAGS,
        output("arn", "nodegroupArn"),
        output("resources", "[resources]"),
        output("status", volatile=True),
    ),
    create="create_nodegroup",
    identity=("clusterName", "nodeGroupName"),
    address={"clusterName": "{clusterName}", "nodegroupName": "{nodeGroupName}"},
    read=Read(
        operation="describe_nodegroup",
        parameters={"clusterName": "{clusterName}", "nodegroupName": "{nodeGroupName}"},
        at="nodegroup",
    ),
    updates=(
        Update(
            operation="update_nodegroup_version",
            sets=("version", "releaseVersion", "launchTemplate"),
            parameters={"force": "{forceUpdateVersion}"},
        ),
        Update(
            operation="update_nodegroup_config",
            sets=("scalingConfig", "updateConfig", "nodeRepairConfig"),
        ),
        Update(
            operation="update_nodegroup_config",
            sets=("labels",),
            adds="labels.addOrUpdateLabels",
            removes="labels.removeLabels",
        ),
        Update(
            operation="update_nodegroup_config",
            sets=("taints",),
            adds="taints.addOrUpdateTaints",
            removes="taints.removeTaints",
        ),
    ),
    delete="delete_nodegroup",
    gone=_GONE,
    tagging=_TAGGING,
    clashes=True,
)

ACCESS_ENTRY = Kind(
    pulumi_type="aws:eks/accessEntry:AccessEntry",
    service="eks",
    properties=(
        required("clusterName", replaces=True),
        required("principalArn", replaces=True),
        optional("kubernetesGroups", unordered=True),
        optional("type", default="STANDARD", replaces=True),
        optional("userName", member="username", computed=True),
        REGION,
        *TAGS,
        output("accessEntryArn"),
        output("createdAt"),
        output("modifiedAt", volatile=True),
    ),
    create="create_access_entry",
    identity=("clusterName", "principalArn"),
    address={"clusterName": "{clusterName}", "principalArn": "{principalArn}"},
    read=Read(
        operation="describe_access_entry",
        parameters={"clusterName": "{clusterName}", "principalArn": "{principalArn}"},
        at="accessEntry",
    ),
    updates=(Update(operation="update_access_entry", sets=("kubernetesGroups", "userName")),),
    delete="delete_access_entry",
    gone=_GONE,
    tagging=Tagging(address={"resourceArn": "{accessEntryArn}"}),
    clashes=True,
)

ACCESS_POLICY_ASSOCIATION = Kind(
    pulumi_type="aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    service="eks",
    properties=(
        required("clusterName", replaces=True),
        required("principalArn", replaces=True),
        required("policyArn", replaces=True),
        required("accessScope", replaces=True),
        REGION,
        output("associatedAt"),
        output("modifiedAt", volatile=True),
    ),
    create="associate_access_policy",
    identity=("clusterName", "principalArn", "policyArn"),
    separator="#",
    address={
        "clusterName": "{clusterName}",
        "principalArn": "{principalArn}",
        "policyArn": "{policyArn}",
    },
    read=Read(
        operation="list_associated_access_policies",
        parameters={"clusterName": "{clusterName}", "principalArn": "{principalArn}"},
        at="associatedAccessPolicies[?policyArn=='{policyArn}'] | [0]",
    ),
    delete="disassociate_access_policy",
    gone=_GONE,
    clashes=True,
)

ADDON = Kind(
    pulumi_type="aws:eks/addon:Addon",
    service="eks",
    properties=(
        required("clusterName", replaces=True),
        required("addonName", replaces=True),
        optional("addonVersion", computed=True),
        optional("configurationValues", json=True, computed=True),
        optional(
            "podIdentityAssociations", unordered=True, computed=True, composed=True, local=True
        ),
        optional("preserve", local=True),
        optional("resolveConflictsOnCreate", local=True),
        optional("resolveConflictsOnUpdate", local=True),
        optional("serviceAccountRoleArn"),
        REGION,
        *TAGS,
        output("arn", "addonArn"),
        output("createdAt"),
        output("modifiedAt", volatile=True),
    ),
    create="create_addon",
    fixed={
        "resolveConflicts": "{resolveConflictsOnCreate}",
        "podIdentityAssociations": "{podIdentityAssociations}",
    },
    identity=("clusterName", "addonName"),
    address={"clusterName": "{clusterName}", "addonName": "{addonName}"},
    read=Read(
        operation="describe_addon",
        parameters={"clusterName": "{clusterName}", "addonName": "{addonName}"},
        at="addon",
    ),
    updates=(
        Update(
            operation="update_addon",
            sets=(
                "addonVersion",
                "configurationValues",
                "podIdentityAssociations",
                "serviceAccountRoleArn",
            ),
            parameters={
                "resolveConflicts": "{resolveConflictsOnUpdate}",
                "podIdentityAssociations": "{podIdentityAssociations}",
            },
        ),
    ),
    delete="delete_addon",
    deletion={"preserve": "{preserve}"},
    gone=_GONE,
    tagging=_TAGGING,
    clashes=True,
)

POD_IDENTITY_ASSOCIATION = Kind(
    pulumi_type="aws:eks/podIdentityAssociation:PodIdentityAssociation",
    service="eks",
    properties=(
        required("clusterName", replaces=True),
        required("namespace", replaces=True),
        required("serviceAccount", replaces=True),
        required("roleArn"),
        optional("targetRoleArn"),
        optional("disableSessionTags", computed=True),
        REGION,
        *TAGS,
        output("associationArn"),
        output("associationId"),
        output("externalId"),
    ),
    create="create_pod_identity_association",
    identity=("clusterName", "associationId"),
    separator=",",
    answers={"associationId": "association.associationId"},
    address={"clusterName": "{clusterName}", "associationId": "{associationId}"},
    read=Read(
        operation="describe_pod_identity_association",
        parameters={"clusterName": "{clusterName}", "associationId": "{associationId}"},
        at="association",
    ),
    updates=(
        Update(
            operation="update_pod_identity_association",
            sets=("roleArn", "targetRoleArn", "disableSessionTags"),
        ),
    ),
    delete="delete_pod_identity_association",
    gone=_GONE,
    tagging=Tagging(address={"resourceArn": "{associationArn}"}),
    clashes=True,
    siblings=Read(
        operation="list_pod_identity_associations",
        parameters={"clusterName": "{clusterName}"},
        at="associations[].associationId",
    ),
)

KINDS = (
    CLUSTER,
    NODE_GROUP,
    ACCESS_ENTRY,
    ACCESS_POLICY_ASSOCIATION,
    ADDON,
    POD_IDENTITY_ASSOCIATION,
)
