"""The AWS Load Balancer Controller, for clusters with node groups."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.helm.release import helm_release
from components.ingress import controller_values
from components.ingress.controller_values import NAMESPACE, SERVICE_ACCOUNT
from components.kubernetes_objects import RESTRICTED
from components.pod_identity import PodIdentity
from settings.aws_account import AwsAccount
from settings.charts import Chart
from settings.naming import Names

CHART_REPOSITORY = "https://aws.github.io/eks-charts"
CHART_VERSION = "3.5.0"
"""AWS Load Balancer Controller 3.5.0; the newest chart that was rendered with our values."""
TIMEOUT_SECONDS = 600
"""Nodes that have just joined pull its image before the release is ready."""


@dataclass(frozen=True, kw_only=True)
class ControllerArgs:
    """Where it makes load balancers, and with which rights."""

    chart: Chart
    names: Names
    account: AwsAccount
    permissions_boundary: str | None
    """The permissions boundary of its role, if there is one."""
    cluster_name: Output[str]
    vpc_id: Output[str]
    kubeconfig: Output[str]
    replicas: int


class Controller(pulumi.ComponentResource):
    """The AWS Load Balancer Controller of a new cluster, which makes load balancers for Ingresses.

    Creates an IAM role with its Pod Identity association, bound to what it has made itself for this
    cluster; the namespace `aws-load-balancer-controller`; and the Helm release. Wants a Kubernetes
    provider in `opts`.
    """

    release: k8s.helm.v3.Release

    def __init__(
        self, name: str, args: ControllerArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:LoadBalancerController", name, None, opts)
        self._prefix = name
        own = ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace", metadata={"name": NAMESPACE, "labels": RESTRICTED}, opts=own
        )
        identity = self._identity(args)
        self.release = helm_release(
            f"{name}-release",
            kubeconfig=args.kubeconfig,
            owned=True,
            release=NAMESPACE,
            namespace=namespace.metadata.name,
            chart="aws-load-balancer-controller",
            repository=args.chart.repository or CHART_REPOSITORY,
            version=args.chart.version or CHART_VERSION,
            values=controller_values.values(
                cluster=args.cluster_name,
                region=args.account.region,
                vpc=args.vpc_id,
                replicas=args.replicas,
            ),
            timeout_seconds=TIMEOUT_SECONDS,
            # Pods that start before their identity is there never get it.
            opts=ResourceOptions(parent=self, depends_on=[identity]),
        )
        self.register_outputs({})

    def _identity(self, args: ControllerArgs) -> aws.eks.PodIdentityAssociation:
        identity = PodIdentity(
            cluster_name=args.cluster_name,
            account=args.account,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
        )
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=args.names.role("load-balancers"),
            permissions_boundary=args.permissions_boundary,
            description="Makes the load balancers of the cluster's Ingresses",
            assume_role_policy=identity.trust(),
            tags=args.names.tags(),
            opts=ResourceOptions(parent=self),
        )
        known = Output.all(args.cluster_name, args.vpc_id)
        rights = aws.iam.RolePolicy(
            f"{self._prefix}-policy",
            name="load-balancers",
            role=role.name,
            policy=known.apply(
                lambda of: controller_values.policy(args.account, cluster=of[0], vpc=of[1])
            ),
            opts=ResourceOptions(parent=self),
        )
        return identity.association(
            f"{self._prefix}-identity",
            role,
            args.names,
            ResourceOptions(parent=self, depends_on=[rights]),
        )
