"""The stores of one namespace: from where its services' secrets come, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac import v1 as rbac

from components.kubernetes_objects import RBAC
from components.secrets import values
from components.secrets.rotation_pod import NAME as ROTATION
from components.secrets.values import Rule
from settings.naming import Names


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How every store reads: as whom, and where."""

    reader_arn: Input[str]
    names: Names
    region: str
    operator: pulumi.Resource
    """What brings the kind SecretStore, and acts on it."""


@dataclass(frozen=True, kw_only=True)
class SecretStoresArgs:
    """namespace, by its name and as created; secrets: those of Kubernetes by service, sorted."""

    name: str
    namespace: Input[str]
    secrets: Mapping[str, Sequence[str]]
    reading: Reading


class SecretStores(pulumi.ComponentResource):
    """A SecretStore for each service of a namespace that has secrets.

    Each store reads as a session that AWS lets see the secrets of that service in this environment
    and no others. Also the rights by which External Secrets writes Secrets in this namespace, and
    by which pods are rolled. Wants a Kubernetes provider in `opts`.
    """

    created: list[pulumi.Resource]
    """The stores and rights, which have to be there before the services."""

    def __init__(
        self, name: str, args: SecretStoresArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:SecretStores", name, None, opts)
        self._prefix = name
        self._args = args
        objects = sorted(name for names in args.secrets.values() for name in names)
        stores = [self._store(service) for service in args.secrets]
        self.created = [
            *stores,
            *self._allow(values.SERVICE_ACCOUNT, values.namespace_rules()),
            *self._allow(ROTATION, values.rotation_rules(objects)),
        ]
        self.register_outputs({})

    def _store(self, service: str) -> pulumi.Resource:
        reading = self._args.reading
        return CustomResource(
            f"{self._prefix}-{service}",
            api_version="external-secrets.io/v1",
            kind="SecretStore",
            metadata={"name": service, "namespace": self._args.namespace},
            spec=values.store_spec(
                reading.names,
                region=reading.region,
                reader_arn=reading.reader_arn,
                namespace=self._args.name,
                service=service,
            ),
            opts=ResourceOptions(parent=self, depends_on=[reading.operator]),
        )

    def _allow(self, account: str, rules: Sequence[Rule]) -> list[pulumi.Resource]:
        """A role of a service account of External Secrets' namespace in this one."""
        metadata = ObjectMetaArgs(name=account, namespace=self._args.namespace)
        role = rbac.Role(
            f"{self._prefix}-{account}-role",
            metadata=metadata,
            rules=[rbac.PolicyRuleArgs(**rule) for rule in rules],
            opts=ResourceOptions(parent=self),
        )
        binding = rbac.RoleBinding(
            f"{self._prefix}-{account}-binding",
            metadata=metadata,
            role_ref=rbac.RoleRefArgs(api_group=RBAC, kind="Role", name=account),
            subjects=[
                rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=values.NAMESPACE)
            ],
            opts=ResourceOptions(parent=self, depends_on=[role]),
        )
        return [role, binding]
