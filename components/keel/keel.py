"""Keel: rolls workloads of fast environments when their moving tag moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.rbac import v1 as rbac

from components.helm.release import helm_release
from components.keel import values as keel_values
from components.keel.values import NAMESPACE, SERVICE_ACCOUNT
from components.kubernetes_objects import RBAC, RESTRICTED
from components.pod_identity import PodIdentity
from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.keel import KeelConfig
from settings.keel_repositories import repositories
from settings.naming import Names

CHART_REPOSITORY = "https://keel-hq.github.io/keel/"
CHART_VERSION = "1.2.0"
"""Keel 0.22.1; the newest chart that was rendered with our values."""
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class KeelArgs:
    """What Keel serves, and where."""

    config: KeelConfig
    catalogue: Catalogue
    names: Names
    account: AwsAccount
    """Where the cluster is."""
    registry: AwsAccount
    """Where the image repositories are."""
    permissions_boundary: str | None
    """The permissions boundary of every role, if there is one."""
    cluster_name: Output[str]
    kubeconfig: Output[str]
    owned_cluster: bool
    """Whether this program made the cluster."""
    namespaces: Mapping[str, Input[str]]
    """The namespaces of the services, by name, as created: at least those that Keel serves."""


class Keel(pulumi.ComponentResource):
    """Keel of one cluster, limited to the namespaces and repositories that it serves.

    Creates an IAM role that may read the served image repositories and its Pod Identity
    association, the namespace `keel`, which only readers of its metrics reach, the Helm release,
    and the rights to roll workloads in the served namespaces. Wants a Kubernetes provider in
    `opts`; the AWS provider is the default one unless given too.
    """

    namespace: Output[str]
    role_arn: Output[str]
    release: k8s.helm.v3.Release

    def __init__(self, name: str, args: KeelArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:Keel", name, None, opts)
        self._prefix = name
        served = keel_values.served(args.catalogue)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": NAMESPACE, "labels": RESTRICTED},
            opts=ResourceOptions(parent=self),
        )
        self.namespace = namespace.metadata.name
        k8s.networking.v1.NetworkPolicy(
            f"{name}-unreachable",
            metadata={"name": "keel", "namespace": self.namespace},
            spec=keel_values.network_policy(args.config),
            opts=ResourceOptions(parent=self),
        )
        identity = self._identity(args)
        rights = self._rights(args, [*served])
        chart = args.config.chart
        self.release = helm_release(
            f"{name}-release",
            kubeconfig=args.kubeconfig,
            owned=args.owned_cluster,
            release="keel",
            namespace=self.namespace,
            chart="keel",
            repository=chart.repository or CHART_REPOSITORY,
            version=chart.version or CHART_VERSION,
            values=keel_values.values(
                args.config, region=args.account.region, namespaces=[*served]
            ),
            timeout_seconds=TIMEOUT_SECONDS,
            # Pods that start before their identity and their rights are there never get them.
            opts=ResourceOptions(parent=self, depends_on=[identity, *rights]),
        )
        self.register_outputs({"namespace": self.namespace, "roleArn": self.role_arn})

    def _identity(self, args: KeelArgs) -> aws.eks.PodIdentityAssociation:
        """The role of Keel's service account: it reads the served repositories."""
        identity = PodIdentity(
            cluster_name=args.cluster_name,
            account=args.account,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
        )
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=args.names.role("keel"),
            permissions_boundary=args.permissions_boundary,
            description="Keel reads tags and digests of the images that it delivers",
            assume_role_policy=identity.trust(),
            tags=args.names.tags(),
            opts=ResourceOptions(parent=self),
        )
        self.role_arn = role.arn
        policy = aws.iam.RolePolicy(
            f"{self._prefix}-pull",
            name="pull",
            role=role.name,
            policy=keel_values.pull_policy(repositories(args.registry, args.catalogue)),
            opts=ResourceOptions(parent=self),
        )
        return identity.association(
            f"{self._prefix}-identity",
            role,
            args.names,
            ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _rights(self, args: KeelArgs, served: Sequence[str]) -> list[pulumi.Resource]:
        """What Keel reads cluster-wide, and a role in each namespace that it serves."""
        opts = ResourceOptions(parent=self)
        everywhere = rbac.ClusterRole(
            f"{self._prefix}-reader",
            metadata={"name": "keel-reader"},
            rules=_rules(keel_values.cluster_rules(served)),
            opts=opts,
        )
        bindings: list[pulumi.Resource] = [
            rbac.ClusterRoleBinding(
                f"{self._prefix}-reader",
                metadata={"name": "keel-reader"},
                role_ref=_reference(everywhere),
                subjects=[self._subject()],
                opts=opts,
            )
        ]
        for namespace in served:
            role = rbac.Role(
                f"{self._prefix}-{namespace}",
                metadata={"name": "keel", "namespace": args.namespaces[namespace]},
                rules=_rules(keel_values.namespace_rules()),
                opts=opts,
            )
            bindings.append(
                rbac.RoleBinding(
                    f"{self._prefix}-{namespace}",
                    metadata={"name": "keel", "namespace": args.namespaces[namespace]},
                    role_ref=_reference(role),
                    subjects=[self._subject()],
                    opts=opts,
                )
            )
        return bindings

    def _subject(self) -> rbac.SubjectArgs:
        return rbac.SubjectArgs(
            kind="ServiceAccount", name=SERVICE_ACCOUNT, namespace=self.namespace
        )


def _rules(rules: Sequence[Mapping[str, list[str]]]) -> list[rbac.PolicyRuleArgs]:
    return [rbac.PolicyRuleArgs(**rule) for rule in rules]


def _reference(role: rbac.Role | rbac.ClusterRole) -> rbac.RoleRefArgs:
    return rbac.RoleRefArgs(api_group=RBAC, kind=role.kind, name=role.metadata.name)
