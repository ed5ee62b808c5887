"""Add-ons of a cluster, installed in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.cluster.addon_table import ADDONS, NAMESPACE, POD_IDENTITY, Addon, Identity
from components.pod_identity import PodIdentity
from settings.aws_account import AwsAccount
from settings.eks_releases import AddonName
from settings.naming import Names


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """The add-ons that nodes need, or those that need nodes.

    versions: of every add-on that the cluster has; cluster_name: where; wait_for: what comes
    first.
    """

    versions: Mapping[AddonName, str | None]
    names: Names
    account: AwsAccount
    cluster_name: pulumi.Output[str]
    before_nodes: bool
    permissions_boundary: str | None
    wait_for: Sequence[pulumi.Resource] = ()


class Addons(pulumi.ComponentResource):
    """EKS add-ons at pinned versions, configured by this program alone.

    An add-on that calls AWS has its own role, which only its pods in this cluster can
    assume, by Pod Identity; it comes after the agent that hands such roles out.
    """

    installed: Sequence[aws.eks.Addon]

    def __init__(
        self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Addons", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        created: dict[str, aws.eks.Addon] = {}
        for addon in ADDONS:
            if addon.name in args.versions and addon.before_nodes is args.before_nodes:
                agent = created.get(POD_IDENTITY)
                first = [agent] if agent and addon.identity else []
                created[addon.name] = self._addon(addon, args.versions[addon.name], first)
        self.installed = list(created.values())
        self.register_outputs({})

    def _addon(
        self, addon: Addon, version: str | None, first: Sequence[pulumi.Resource]
    ) -> aws.eks.Addon:
        needed = [*self._args.wait_for, *first]
        associations = None
        if addon.identity:
            role, attachment = self._role(addon.name, addon.identity)
            needed.append(attachment)
            associations = [
                aws.eks.AddonPodIdentityAssociationArgs(
                    role_arn=role.arn, service_account=addon.identity.service_account
                )
            ]
        return aws.eks.Addon(
            f"{self._prefix}-{addon.name}",
            cluster_name=self._args.cluster_name,
            addon_name=addon.name,
            addon_version=version,
            configuration_values=addon.configuration_values,
            pod_identity_associations=associations,
            preserve=addon.kept or None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=self._names.tags(Name=self._names.of(addon.name)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )

    def _role(
        self, addon: str, identity: Identity
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
        account = self._args.account
        # The add-on itself makes the association.
        pods = PodIdentity(
            cluster_name=self._args.cluster_name,
            account=account,
            namespace=NAMESPACE,
            service_account=identity.service_account,
        )
        role = aws.iam.Role(
            f"{self._prefix}-{addon}-role",
            name=self._names.role(addon),
            permissions_boundary=self._args.permissions_boundary,
            description=f"The add-on {addon}",
            assume_role_policy=pods.trust(),
            tags=self._names.tags(Name=self._names.role(addon)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._prefix}-{addon}-policy",
            role=role.name,
            policy_arn=account.managed_policy_arn(identity.managed_policy),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role, attachment
