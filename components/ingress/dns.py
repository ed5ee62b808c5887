"""external-dns: the names of Ingresses in a hosted zone."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource

from components.helm.release import helm_release
from components.ingress import dns_values
from components.ingress.dns_values import NAMESPACE, SERVICE_ACCOUNT, OwnNames
from components.ingress.left_names import LeftNames
from components.kubernetes_objects import RESTRICTED
from components.pod_identity import PodIdentity
from settings.aws_account import AwsAccount
from settings.charts import Chart
from settings.naming import Names

CHART_REPOSITORY = "https://kubernetes-sigs.github.io/external-dns"
CHART_VERSION = "1.22.0"
"""external-dns 0.22.0; the newest chart that was rendered with our values."""
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class DnsArgs:
    """Whose names it makes, and in which zone."""

    chart: Chart
    own: OwnNames
    ingress_class: str
    """Of the Ingresses that get names."""
    zone_id: Output[str]
    names: Names
    account: AwsAccount
    profile: str | None
    """The AWS profile and the role (an ARN) with which Pulumi works."""
    role: str | None
    permissions_boundary: str | None
    """The permissions boundary of its role, if there is one."""
    cluster_name: Output[str]
    kubeconfig: Output[str]
    owned_cluster: bool
    """Whether this program made the cluster."""


class Dns(pulumi.ComponentResource):
    """external-dns of one cluster.

    Creates an IAM role with its Pod Identity association, which changes the environment's own names
    in the one zone; the namespace `external-dns` without incoming traffic; and the Helm release.
    When it is deleted, the names go with it. Wants a Kubernetes provider in `opts`.
    """

    release: k8s.helm.v3.Release

    def __init__(self, name: str, args: DnsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:Dns", name, None, opts)
        self._prefix = name
        own = ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace", metadata={"name": NAMESPACE, "labels": RESTRICTED}, opts=own
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-unreachable",
            metadata={"name": NAMESPACE, "namespace": namespace.metadata.name},
            spec={"pod_selector": {}, "policy_types": ["Ingress"]},
            opts=own,
        )
        left = _Left(f"{name}-left", args, own)
        identity = self._identity(args)
        self.release = helm_release(
            f"{name}-release",
            kubeconfig=args.kubeconfig,
            owned=args.owned_cluster,
            release=NAMESPACE,
            namespace=namespace.metadata.name,
            chart="external-dns",
            repository=args.chart.repository or CHART_REPOSITORY,
            version=args.chart.version or CHART_VERSION,
            values=dns_values.values(
                args.own, ingress_class=args.ingress_class, zone_id=args.zone_id
            ),
            timeout_seconds=TIMEOUT_SECONDS,
            # Pods that start before their identity is there never get it; and what is left of the
            # names goes after the one who would make them again.
            opts=ResourceOptions(parent=self, depends_on=[identity, left]),
        )
        self.register_outputs({})

    def _identity(self, args: DnsArgs) -> aws.eks.PodIdentityAssociation:
        identity = PodIdentity(
            cluster_name=args.cluster_name,
            account=args.account,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
        )
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=args.names.role("external-dns"),
            permissions_boundary=args.permissions_boundary,
            description="Makes the names of the cluster's Ingresses",
            assume_role_policy=identity.trust(),
            tags=args.names.tags(),
            opts=ResourceOptions(parent=self),
        )
        rights = aws.iam.RolePolicy(
            f"{self._prefix}-policy",
            name="names",
            role=role.name,
            policy=args.zone_id.apply(lambda zone: dns_values.policy(args.account, args.own, zone)),
            opts=ResourceOptions(parent=self),
        )
        return identity.association(
            f"{self._prefix}-identity",
            role,
            args.names,
            ResourceOptions(parent=self, depends_on=[rights]),
        )


class _Left(Resource):
    """Stands for the names in the zone, so that deleting it deletes them."""

    def __init__(self, name: str, args: DnsArgs, opts: ResourceOptions) -> None:
        given: dict[str, Input[str | None]] = {
            "zone": args.zone_id,
            "owner": args.own.owner,
            "profile": args.profile,
            "role": args.role,
        }
        super().__init__(LeftNames(), name, given, opts)
