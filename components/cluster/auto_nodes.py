"""The machines of a cluster in EKS Auto Mode: pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components import policies
from components.cluster import auto_mode
from settings.aws_account import AwsAccount
from settings.naming import Names
from settings.nodes import NodePool


@dataclass(frozen=True, kw_only=True)
class AutoNodesArgs:
    """pools: what to make; subnet_ids and security_group_id: where nodes are."""

    pools: Sequence[NodePool]
    permissions_boundary: str | None
    names: Names
    account: AwsAccount
    cluster_name: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]
    security_group_id: pulumi.Input[str]


class AutoNodes(pulumi.ComponentResource):
    """What nodes of EKS Auto Mode are made from; AWS makes them when pods wait.

    One role for all nodes, and the access entry with which they join; the ConfigMap that turns
    NetworkPolicies on; for each pool a NodeClass (subnets, disk) and a NodePool (processor,
    capacity, labels, taints, vCPUs at most). AWS's own pools stay off: they know neither a limit
    nor the zones that the control plane is not in. Wants a Kubernetes provider in `opts`.
    """

    pools: Sequence[CustomResource]

    def __init__(
        self, name: str, args: AutoNodesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:AutoNodes", name, None, opts)
        self._prefix = name
        self._args = args
        role, attachments = self._role()
        joining = self._joining(role)
        policies_on = kubernetes.core.v1.ConfigMap(
            f"{name}-network-policies",
            **auto_mode.NETWORK_POLICIES,
            opts=pulumi.ResourceOptions(parent=self),
        )
        needed = [*attachments, joining, policies_on]
        self.pools = [self._pool(pool, role, needed) for pool in args.pools]
        self.register_outputs({})

    def _role(self) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        args = self._args
        name = args.names.role("auto-nodes")
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=name,
            permissions_boundary=args.permissions_boundary,
            description="The nodes of the cluster, in Auto Mode",
            assume_role_policy=policies.trust_service("ec2.amazonaws.com"),
            tags=args.names.tags(Name=name),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role, [
            aws.iam.RolePolicyAttachment(
                f"{self._prefix}-{policy}",
                role=role.name,
                policy_arn=args.account.managed_policy_arn(policy),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for policy in auto_mode.NODE_POLICIES
        ]

    def _joining(self, role: aws.iam.Role) -> pulumi.Resource:
        args = self._args
        entry = aws.eks.AccessEntry(
            f"{self._prefix}-access",
            cluster_name=args.cluster_name,
            principal_arn=role.arn,
            type="EC2",
            tags=args.names.tags(Name=args.names.of("auto-nodes")),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.eks.AccessPolicyAssociation(
            f"{self._prefix}-access-policy",
            cluster_name=args.cluster_name,
            principal_arn=entry.principal_arn,
            policy_arn=args.account.access_policy_arn(auto_mode.NODE_ACCESS),
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _pool(
        self, pool: NodePool, role: aws.iam.Role, needed: Sequence[pulumi.Resource]
    ) -> CustomResource:
        args = self._args
        known = pulumi.Output.all(role.name, args.subnet_ids, args.security_group_id)
        description = CustomResource(
            f"{self._prefix}-{pool.name}-class",
            api_version=f"{auto_mode.API}/v1",
            kind="NodeClass",
            metadata={"name": pool.name},
            spec=known.apply(
                lambda of: auto_mode.node_class(
                    pool, role=of[0], subnets=of[1], security_group=of[2]
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )
        return CustomResource(
            f"{self._prefix}-{pool.name}",
            api_version="karpenter.sh/v1",
            kind="NodePool",
            metadata={"name": pool.name},
            spec=auto_mode.node_pool(pool),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[description]),
        )
