"""The Kubernetes cluster: control plane, nodes, add-ons and access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from components.cluster.access_entries import AccessEntry, access_entries
from components.cluster.addon_table import versions
from components.cluster.addons import Addons, AddonsArgs
from components.cluster.auto_nodes import AutoNodes, AutoNodesArgs
from components.cluster.control_plane import ControlPlane, ControlPlaneArgs
from components.cluster.kubeconfig import kubeconfig
from components.cluster.nodes import Nodes, NodesArgs
from components.existing import cluster as existing_cluster
from settings.aws_account import AwsAccount
from settings.cluster import ClusterConfig
from settings.naming import Names

ADMINISTRATOR = "AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What the cluster is created from."""

    config: ClusterConfig
    names: Names
    account: AwsAccount
    profile: str | None
    """The AWS profile and the role (an ARN) with which Pulumi works: the kubeconfig names them."""
    role: str | None
    protected: bool
    """Pulumi and AWS refuse to delete or replace it."""
    extended_support: bool
    """Kubernetes stays as it is when standard support ends; otherwise AWS upgrades it."""
    log_retention_days: int
    permissions_boundary: str | None
    """The permissions boundary of every role, if there is one."""
    vpc_id: pulumi.Input[str]
    control_plane_subnet_ids: pulumi.Input[Sequence[str]]
    node_subnet_ids: pulumi.Input[Sequence[str]]
    node_placement: Sequence[str]
    """The settings that decide the subnets: zones, or the ids of existing subnets."""


class Cluster(pulumi.ComponentResource):
    """An EKS cluster, ready for Kubernetes resources.

    A new cluster has a control plane, an access entry for each principal of the settings, the
    add-ons that nodes need, managed node groups, and the add-ons that need nodes; or, in Auto Mode,
    pools in place of add-ons and groups. A new Kubernetes version is an update in place, in this
    order.

    With `existing`: the cluster is looked up and used as it is; nothing in AWS is created.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    """JSON without a secret; its tokens come from the AWS CLI."""
    owned: bool
    """Whether this program made it; an existing cluster may have other users."""
    provider: kubernetes.Provider
    """The Kubernetes provider; it waits until nodes, DNS and access exist."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Cluster", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        existing = args.config.existing
        self.owned = existing is None
        ready = self._use(existing) if existing else self._create()
        self.kubeconfig = self._kubeconfig()
        self.provider = self._kubernetes("kubernetes", ready)
        self.register_outputs(
            {
                "name": self.name,
                "arn": self.arn,
                "endpoint": self.endpoint,
                "kubeconfig": self.kubeconfig,
            }
        )

    def _use(self, existing: str) -> list[pulumi.Resource]:
        """Use the cluster, which was checked together with the network that it is in."""
        found = existing_cluster.look_up(existing, pulumi.InvokeOptions(parent=self))
        self.name = pulumi.Output.from_input(found.name)
        self.arn = pulumi.Output.from_input(found.arn)
        self.endpoint = pulumi.Output.from_input(found.endpoint)
        self._certificate_authority = pulumi.Output.from_input(found.certificate_authority)
        return []

    def _create(self) -> list[pulumi.Resource]:
        """Create everything and return what Kubernetes resources wait for."""
        args = self._args
        control_plane = ControlPlane(
            f"{self._prefix}-control-plane",
            ControlPlaneArgs(
                config=args.config,
                names=args.names,
                account=args.account,
                protected=args.protected,
                extended_support=args.extended_support,
                log_retention_days=args.log_retention_days,
                permissions_boundary=args.permissions_boundary,
                vpc_id=args.vpc_id,
                subnet_ids=args.control_plane_subnet_ids,
            ),
            opts=self._own(),
        )
        self.name, self.arn = control_plane.name, control_plane.arn
        self.endpoint = control_plane.endpoint
        self._certificate_authority = control_plane.certificate_authority
        access = [
            resource
            for entry in access_entries(args.config.access)
            for resource in self._access(entry)
        ]
        entered = [*access, *control_plane.endpoint_rules]
        if args.config.auto:
            nodes: Sequence[pulumi.Resource] = self._auto_nodes(control_plane, entered)
        else:
            nodes = self._node_groups()
        addons = self._addons("addons", before_nodes=False, wait_for=nodes)
        return [*entered, *nodes, *addons.installed]

    def _node_groups(self) -> Sequence[pulumi.Resource]:
        args = self._args
        basics = self._addons("basics", before_nodes=True)
        nodes = Nodes(
            f"{self._prefix}-nodes",
            NodesArgs(
                groups=args.config.node_groups,
                version=args.config.version,
                permissions_boundary=args.permissions_boundary,
                names=args.names,
                account=args.account,
                cluster_name=self.name,
                subnet_ids=args.node_subnet_ids,
                placement=args.node_placement,
                wait_for=basics.installed,
            ),
            opts=self._own(),
        )
        return nodes.groups

    def _auto_nodes(
        self, control_plane: ControlPlane, entered: Sequence[pulumi.Resource]
    ) -> Sequence[pulumi.Resource]:
        """Pools are Kubernetes objects, and everything else in the cluster waits for them."""
        args = self._args
        nodes = AutoNodes(
            f"{self._prefix}-auto",
            AutoNodesArgs(
                pools=args.config.pools,
                permissions_boundary=args.permissions_boundary,
                names=args.names,
                account=args.account,
                cluster_name=self.name,
                subnet_ids=args.node_subnet_ids,
                security_group_id=control_plane.security_group_id,
            ),
            opts=pulumi.ResourceOptions(
                parent=self, providers=[self._kubernetes("before-nodes", entered)]
            ),
        )
        return nodes.pools

    def _kubernetes(self, name: str, ready: Sequence[pulumi.Resource]) -> kubernetes.Provider:
        return kubernetes.Provider(
            f"{self._prefix}-{name}",
            kubeconfig=self._kubeconfig(),
            # Another profile or CA is an update; another cluster replaces what was in the old.
            cluster_identifier=self.endpoint,
            enable_server_side_apply=True,
            # Takes over objects of a killed run; in an existing cluster they may be others'.
            upsert_existing_objects=self.owned,
            opts=pulumi.ResourceOptions(parent=self, depends_on=ready),
        )

    def _addons(
        self, name: str, *, before_nodes: bool, wait_for: Sequence[pulumi.Resource] = ()
    ) -> Addons:
        return Addons(
            f"{self._prefix}-{name}",
            AddonsArgs(
                versions=versions(self._args.config),
                names=self._args.names,
                account=self._args.account,
                cluster_name=self.name,
                before_nodes=before_nodes,
                permissions_boundary=self._args.permissions_boundary,
                wait_for=wait_for,
            ),
            opts=self._own(),
        )

    def _access(self, entry: AccessEntry) -> list[pulumi.Resource]:
        registered = aws.eks.AccessEntry(
            f"{self._prefix}-access-{entry.slug}",
            cluster_name=self.name,
            principal_arn=entry.principal,
            kubernetes_groups=list(entry.groups),
            type="STANDARD",
            tags=self._names.tags(Name=self._names.of("access")),
            opts=self._own(),
        )
        if not entry.administrator:
            return [registered]
        administration = aws.eks.AccessPolicyAssociation(
            f"{self._prefix}-administrator-{entry.slug}",
            cluster_name=self.name,
            principal_arn=registered.principal_arn,
            policy_arn=self._args.account.access_policy_arn(ADMINISTRATOR),
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=self._own(),
        )
        return [registered, administration]

    def _kubeconfig(self) -> pulumi.Output[str]:
        return pulumi.Output.all(self.name, self.endpoint, self._certificate_authority).apply(
            lambda known: kubeconfig(
                cluster=known[0],
                endpoint=known[1],
                certificate_authority=known[2],
                region=self._args.account.region,
                profile=self._args.profile,
                role=self._args.role,
            )
        )

    def _own(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
