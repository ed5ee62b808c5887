"""The control plane of a new cluster: EKS, its key, its logs and its role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.cluster.auto_mode import CONTROL_PLANE_POLICIES
from settings.aws_account import AwsAccount
from settings.cluster import ClusterConfig
from settings.naming import Names


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """What the control plane is created from; vpc_id and subnet_ids: its own interfaces."""

    config: ClusterConfig
    names: Names
    account: AwsAccount
    protected: bool
    """Pulumi and AWS refuse to delete or replace the cluster and its key."""
    extended_support: bool
    """Kubernetes stays as it is when standard support ends; otherwise AWS upgrades it."""
    log_retention_days: int
    permissions_boundary: str | None
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]


class ControlPlane(pulumi.ComponentResource):
    """An EKS control plane that only access entries open.

    A KMS key that encrypts Kubernetes secrets, a log group with a retention, a role, and the
    cluster. Nodes and listed ranges reach its private endpoint; only listed ranges reach a public
    one. Its creator gets no rights. The cluster and the key are protected.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    """PEM in base64."""
    security_group_id: pulumi.Output[str]
    """EKS's own group, of the endpoint and of the nodes."""
    endpoint_rules: Sequence[pulumi.Resource]
    """What must exist before others than the nodes reach the private endpoint."""

    def __init__(
        self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:ControlPlane", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        cluster = self._cluster(args)
        self.name, self.arn, self.endpoint = cluster.name, cluster.arn, cluster.endpoint
        self.certificate_authority = cluster.certificate_authority.apply(
            lambda authority: authority.data or ""
        )
        self.security_group_id = cluster.vpc_config.apply(
            lambda config: config.cluster_security_group_id or ""
        )
        self.endpoint_rules = self._endpoint_rules()
        self.register_outputs({"name": self.name, "arn": self.arn, "endpoint": self.endpoint})

    def _cluster(self, args: ControlPlaneArgs) -> aws.eks.Cluster:
        config = args.config
        role, attachments = self._role()
        return aws.eks.Cluster(
            f"{self._prefix}-eks",
            name=self._names.cluster,
            version=config.version,
            role_arn=role.arn,
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=args.subnet_ids,
                endpoint_private_access=True,
                endpoint_public_access=bool(config.public_access),
                public_access_cidrs=[str(cidr) for cidr in config.public_access] or None,
            ),
            # AWS wants all three of Auto Mode, or none, and leaves it as it is without them.
            kubernetes_network_config=_kubernetes_network(config),
            compute_config=_compute(config),
            storage_config=_storage(config),
            access_config=aws.eks.ClusterAccessConfigArgs(
                # Changing either later replaces the cluster.
                authentication_mode="API",
                bootstrap_cluster_creator_admin_permissions=False,
            ),
            bootstrap_self_managed_addons=False,  # they would come unpinned
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=self._key().arn),
                resources=["secrets"],
            ),
            enabled_cluster_log_types=config.logs,
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(
                support_type="EXTENDED" if args.extended_support else "STANDARD"
            ),
            deletion_protection=args.protected,
            tags=self._names.tags(Name=self._names.cluster),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protected,
                # EKS moves a cluster to other subnets, but never to another VPC.
                replacement_trigger=args.vpc_id,
                delete_before_replace=True,  # its name is taken until it is gone
                # EKS reads this once and never tells it again: an imported cluster has it not.
                ignore_changes=["accessConfig.bootstrapClusterCreatorAdminPermissions"],
                depends_on=[*attachments, self._log_group()],
            ),
        )

    def _endpoint_rules(self) -> Sequence[pulumi.Resource]:
        """Ranges of the network, beside the nodes that EKS's own security group lets in."""
        return [
            aws.vpc.SecurityGroupIngressRule(
                f"{self._prefix}-from-{str(cidr).replace('/', '-')}",
                security_group_id=self.security_group_id,
                description="The endpoint, from a network that is connected",
                cidr_ipv4=str(cidr),
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                tags=self._names.tags(Name=self._names.of("endpoint")),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for cidr in self._args.config.private_access
        ]

    def _role(self) -> tuple[aws.iam.Role, list[aws.iam.RolePolicyAttachment]]:
        auto = self._args.config.auto
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=self._names.role("control-plane"),
            permissions_boundary=self._args.permissions_boundary,
            description="The control plane of the cluster",
            assume_role_policy=policies.trust_service("eks.amazonaws.com", tagging=auto),
            tags=self._names.tags(Name=self._names.role("control-plane")),
            opts=pulumi.ResourceOptions(parent=self),
        )
        attached = {"policy": "AmazonEKSClusterPolicy"}
        if auto:
            attached |= {policy: policy for policy in CONTROL_PLANE_POLICIES}
        return role, [
            aws.iam.RolePolicyAttachment(
                f"{self._prefix}-{name}",
                role=role.name,
                policy_arn=self._args.account.managed_policy_arn(policy),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for name, policy in attached.items()
        ]

    def _key(self) -> aws.kms.Key:
        key = aws.kms.Key(
            f"{self._prefix}-key",
            description=f"Encrypts the Kubernetes secrets of {self._names.cluster}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            tags=self._names.tags(Name=self._names.of("cluster")),
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.protected),
        )
        aws.kms.Alias(
            f"{self._prefix}-key-alias",
            name=f"alias/{self._names.of('cluster')}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        """The log group that EKS writes to; one that EKS creates has no retention."""
        return aws.cloudwatch.LogGroup(
            f"{self._prefix}-logs",
            name=f"/aws/eks/{self._names.cluster}/cluster",
            retention_in_days=self._args.log_retention_days,
            tags=self._names.tags(Name=self._names.of("cluster-logs")),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _kubernetes_network(
    config: ClusterConfig,
) -> aws.eks.ClusterKubernetesNetworkConfigArgs:
    balancing = aws.eks.ClusterKubernetesNetworkConfigElasticLoadBalancingArgs(enabled=config.auto)
    return aws.eks.ClusterKubernetesNetworkConfigArgs(
        ip_family="ipv4",
        service_ipv4_cidr=str(config.service_cidr),
        elastic_load_balancing=balancing if config.compute else None,
    )


def _compute(config: ClusterConfig) -> aws.eks.ClusterComputeConfigArgs | None:
    return aws.eks.ClusterComputeConfigArgs(enabled=config.auto) if config.compute else None


def _storage(config: ClusterConfig) -> aws.eks.ClusterStorageConfigArgs | None:
    block = aws.eks.ClusterStorageConfigBlockStorageArgs(enabled=config.auto)
    return aws.eks.ClusterStorageConfigArgs(block_storage=block) if config.compute else None
