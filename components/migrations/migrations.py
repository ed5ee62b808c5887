"""What services with a migration need in the cluster: the gate's program, and rights for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_kubernetes import core, meta, rbac

from components.kubernetes_objects import RBAC

PROGRAM = "migration-gate"
"""The ConfigMap that has the gate's program."""
_RULES = (
    rbac.v1.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get"]),
    rbac.v1.PolicyRuleArgs(
        api_groups=["batch"], resources=["jobs"], verbs=["create", "delete", "get", "list"]
    ),
)


@dataclass(frozen=True, kw_only=True)
class MigrationsArgs:
    """namespace: as created; services: those in it that have a migration, sorted."""

    namespace: pulumi.Input[str]
    services: Sequence[str]


class Migrations(pulumi.ComponentResource):
    """The right to migrate once before a new version serves, in one namespace.

    A ConfigMap with the program that pods run first; for each service a Role and a RoleBinding, by
    which its account reads its pod and makes Jobs. Only that program's container has the account's
    token. Wants a Kubernetes provider in `opts`.
    """

    def __init__(
        self, name: str, args: MigrationsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Migrations", name, None, opts)
        self._prefix = name
        self._namespace = args.namespace
        core.v1.ConfigMap(
            f"{name}-gate",
            metadata=meta.v1.ObjectMetaArgs(name=PROGRAM, namespace=args.namespace),
            data={"gate.py": Path(__file__).with_name("gate.py").read_text(encoding="utf-8")},
            opts=pulumi.ResourceOptions(parent=self),
        )
        for service in args.services:
            self._allow(service)
        self.register_outputs({})

    def _allow(self, service: str) -> None:
        metadata = meta.v1.ObjectMetaArgs(name=f"{service}-migrate", namespace=self._namespace)
        role = rbac.v1.Role(
            f"{self._prefix}-{service}",
            metadata=metadata,
            rules=list(_RULES),
            opts=pulumi.ResourceOptions(parent=self),
        )
        rbac.v1.RoleBinding(
            f"{self._prefix}-{service}-binding",
            metadata=metadata,
            role_ref=rbac.v1.RoleRefArgs(api_group=RBAC, kind="Role", name=f"{service}-migrate"),
            subjects=[
                rbac.v1.SubjectArgs(kind="ServiceAccount", name=service, namespace=self._namespace)
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
        )
