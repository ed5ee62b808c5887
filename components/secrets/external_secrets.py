"""External Secrets: brings values from AWS Secrets Manager into the namespaces of services."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions
from pulumi_kubernetes.rbac import v1 as rbac

from components.helm.release import helm_release
from components.kubernetes_objects import RBAC, RESTRICTED
from components.pod_identity import PodIdentity
from components.secrets import values
from components.secrets.rotation_pod import rotation_pod
from components.secrets.values import NAMESPACE, SERVICE_ACCOUNT
from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.naming import Names
from settings.secrets import SecretsConfig

CHART_REPOSITORY = "https://charts.external-secrets.io"
CHART_VERSION = "2.9.0"
"""External Secrets 2.9.0; the newest chart that was rendered with our values."""
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class ExternalSecretsArgs:
    """Whose secrets it brings, and where."""

    config: SecretsConfig
    catalogue: Catalogue
    """The services that live in the environment."""
    names: Names
    account: AwsAccount
    permissions_boundary: str | None
    """The permissions boundary of every role, if there is one."""
    cluster_name: Output[str]
    kubeconfig: Output[str]
    owned_cluster: bool
    """Whether this program made the cluster."""


class ExternalSecrets(pulumi.ComponentResource):
    """External Secrets of one cluster.

    Creates an IAM role with its Pod Identity association, which may do one thing: become the second
    role, the reader, for one service at a time. The reader reads the secrets of that service in
    this environment. Also the namespace `external-secrets` without incoming traffic, the rights to
    read everywhere what it watches, the Helm release, and the Deployment `secrets-rollout`, which
    rolls pods when a secret of theirs has another value. Wants a Kubernetes provider in `opts`; the
    AWS provider is the default one unless given too.
    """

    release: k8s.helm.v3.Release
    reader_arn: Output[str]

    def __init__(
        self, name: str, args: ExternalSecretsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:ExternalSecrets", name, None, opts)
        self._prefix = name
        self._args = args
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": NAMESPACE, "labels": RESTRICTED},
            opts=ResourceOptions(parent=self),
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-unreachable",
            metadata={"name": NAMESPACE, "namespace": namespace.metadata.name},
            spec={"pod_selector": {}, "policy_types": ["Ingress"]},
            opts=ResourceOptions(parent=self),
        )
        identity = self._identity()
        rights = self._rights()
        chart = args.config.chart
        self.release = helm_release(
            f"{name}-release",
            kubeconfig=args.kubeconfig,
            owned=args.owned_cluster,
            release=NAMESPACE,
            namespace=namespace.metadata.name,
            chart="external-secrets",
            repository=chart.repository or CHART_REPOSITORY,
            version=chart.version or CHART_VERSION,
            values=values.values(),
            timeout_seconds=TIMEOUT_SECONDS,
            # Pods that start before their identity and their rights are there never get them.
            opts=ResourceOptions(parent=self, depends_on=[identity, *rights]),
        )
        rotation_pod(
            f"{name}-rotation",
            namespace.metadata.name,
            args.catalogue.helper_images.python,
            secret_objects(args.catalogue),
            ResourceOptions(parent=self),
        )
        self.register_outputs({"readerArn": self.reader_arn})

    def _identity(self) -> pulumi.Resource:
        """The role of its service account, and the reader that it becomes."""
        args, names = self._args, self._args.names
        identity = PodIdentity(
            cluster_name=args.cluster_name,
            account=args.account,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
        )
        operator = self._role(
            "operator",
            names.role("external-secrets"),
            "External Secrets, which becomes the reader for one service at a time",
            identity.trust(),
        )
        reader = self._role(
            "reader",
            names.role("secrets-reader"),
            "Reads the secrets of the service that the session names",
            operator.arn.apply(values.reader_trust),
        )
        self.reader_arn = reader.arn
        rights = [
            self._policy("operator", operator, reader.arn.apply(values.take_policy)),
            self._policy("reader", reader, values.reader_policy(names, args.account)),
        ]
        return identity.association(
            f"{self._prefix}-identity",
            operator,
            names,
            ResourceOptions(parent=self, depends_on=rights),
        )

    def _role(
        self, purpose: str, name: str, description: str, trust: pulumi.Input[str]
    ) -> aws.iam.Role:
        return aws.iam.Role(
            f"{self._prefix}-{purpose}",
            name=name,
            permissions_boundary=self._args.permissions_boundary,
            description=description,
            assume_role_policy=trust,
            tags=self._args.names.tags(),
            opts=ResourceOptions(parent=self),
        )

    def _policy(
        self, purpose: str, role: aws.iam.Role, document: pulumi.Input[str]
    ) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            f"{self._prefix}-{purpose}-policy",
            name="secrets",
            role=role.name,
            policy=document,
            opts=ResourceOptions(parent=self),
        )

    def _rights(self) -> list[pulumi.Resource]:
        """What it reads in the whole cluster; what it writes, a namespace's stores bring."""
        opts = ResourceOptions(parent=self)
        role = rbac.ClusterRole(
            f"{self._prefix}-watcher",
            metadata={"name": "external-secrets-watcher"},
            rules=[rbac.PolicyRuleArgs(**rule) for rule in values.cluster_rules()],
            opts=opts,
        )
        binding = rbac.ClusterRoleBinding(
            f"{self._prefix}-watcher",
            metadata={"name": "external-secrets-watcher"},
            role_ref=rbac.RoleRefArgs(api_group=RBAC, kind=role.kind, name=role.metadata.name),
            subjects=[
                rbac.SubjectArgs(kind="ServiceAccount", name=SERVICE_ACCOUNT, namespace=NAMESPACE)
            ],
            opts=opts,
        )
        return [role, binding]


def secret_objects(catalogue: Catalogue) -> dict[str, list[str]]:
    """By namespace, the Secrets of its services, sorted."""
    found: dict[str, list[str]] = {}
    for namespace, service, described in catalogue.secretive():
        objects = described.secrets.objects(service)
        found[namespace] = sorted([*found.get(namespace, []), *objects])
    return found
