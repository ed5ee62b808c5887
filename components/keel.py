"""Keel: rolls the workloads of fast environments as soon as their moving tag moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.rbac import v1 as rbac

from components import keel_values, policies
from components.cluster import Cluster
from components.helm_release import helm_release
from components.keel_values import NAMESPACE, SERVICE_ACCOUNT
from components.pod_security import RESTRICTED
from settings import Settings, names

CHART_REPOSITORY = "https://keel-hq.github.io/keel/"
CHART_VERSION = "1.2.0"
"""Keel 0.22.1; the newest chart that was rendered with our values."""
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class KeelArgs:
    """What Keel serves, and where."""

    settings: Settings
    cluster: Cluster
    namespaces: Mapping[str, Input[str]]
    """The namespaces of the services, by name, as created: at least those that Keel serves."""


class Keel(pulumi.ComponentResource):
    """Keel of one cluster, confined to the namespaces and repositories that it serves.

    Creates an IAM role that may read the served image repositories and its Pod Identity
    association, the namespace `keel`, which nothing reaches, the Helm release, and the rights to
    roll workloads in the served namespaces. Wants a Kubernetes provider in `opts`; the AWS provider
    is the default one unless given too.
    """

    namespace: Output[str]
    role_arn: Output[str]
    release: k8s.helm.v3.Release

    def __init__(self, name: str, args: KeelArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:Keel", name, None, opts)
        self._prefix = name
        settings = args.settings
        served = keel_values.served(settings)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": NAMESPACE, "labels": RESTRICTED},
            opts=ResourceOptions(parent=self),
        )
        self.namespace = namespace.metadata.name
        k8s.networking.v1.NetworkPolicy(
            f"{name}-unreachable",
            metadata={"name": "keel", "namespace": self.namespace},
            # Keel always listens for webhooks, of anybody.
            spec={"pod_selector": {}, "policy_types": ["Ingress"]},
            opts=ResourceOptions(parent=self),
        )
        identity = self._identity(args, served)
        rights = self._rights(args, [*served])
        chart = settings.config.keel.chart if settings.config.keel else None
        self.release = helm_release(
            f"{name}-release",
            cluster=args.cluster,
            release="keel",
            namespace=self.namespace,
            chart="keel",
            repository=(chart and chart.repository) or CHART_REPOSITORY,
            version=(chart and chart.version) or CHART_VERSION,
            values=keel_values.values(settings, [*served]),
            timeout_seconds=TIMEOUT_SECONDS,
            # Pods that start before their identity and their rights are there never get them.
            opts=ResourceOptions(parent=self, depends_on=[identity, *rights]),
        )
        self.register_outputs({"namespace": self.namespace, "roleArn": self.role_arn})

    def _identity(
        self, args: KeelArgs, served: Mapping[str, Sequence[str]]
    ) -> aws.eks.PodIdentityAssociation:
        """The role of Keel's service account: it reads the served repositories."""
        settings = args.settings
        naming = names(settings)
        arns = [
            settings.repository_arn(namespace, service)
            for namespace, services in served.items()
            for service in services
        ]
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=naming.role("keel"),
            permissions_boundary=settings.config.permissions_boundary,
            description="Keel reads tags and digests of the images that it delivers",
            assume_role_policy=self._trust(args),
            tags=naming.tags(),
            opts=ResourceOptions(parent=self),
        )
        self.role_arn = role.arn
        policy = aws.iam.RolePolicy(
            f"{self._prefix}-pull",
            name="pull",
            role=role.name,
            policy=keel_values.pull_policy(arns),
            opts=ResourceOptions(parent=self),
        )
        return aws.eks.PodIdentityAssociation(
            f"{self._prefix}-identity",
            cluster_name=args.cluster.name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            tags=naming.tags(),
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )

    @staticmethod
    def _trust(args: KeelArgs) -> Output[str]:
        """Pods of this cluster alone may take the role."""
        environment = args.settings.environment
        arn = f"arn:{environment.partition}:eks:{environment.region}:{environment.account}:cluster"
        return Output.from_input(args.cluster.name).apply(
            lambda cluster: policies.trust_pods(environment.account, f"{arn}/{cluster}")
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
    return rbac.RoleRefArgs(
        api_group="rbac.authorization.k8s.io", kind=role.kind, name=role.metadata.name
    )
