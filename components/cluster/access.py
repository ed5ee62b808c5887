"""Rights of people in the cluster: teams read their namespaces, readers all; no secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import meta, rbac

from components.cluster.access_entries import READERS, team_group
from components.kubernetes_objects import RBAC
from settings.catalogue import Catalogue
from settings.cluster import AccessConfig

VIEW = "view"
"""Kubernetes's own role: everything in a namespace, logs included, but no secret, no role, no
shell in a pod and no change."""


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """Access, owners of services, and the created namespaces by name."""

    config: AccessConfig
    catalogue: Catalogue
    namespaces: Mapping[str, pulumi.Input[str]]


class Access(pulumi.ComponentResource):
    """Kubernetes rights of the groups that access entries give to teams and readers.

    A RoleBinding for each team with principals, in each namespace where it owns a service, and a
    ClusterRoleBinding for readers; all bind the role `view`. Wants a Kubernetes provider in
    `opts`.
    """

    def __init__(
        self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Access", name, None, opts)
        for namespace, team in team_namespaces(args.config, args.catalogue):
            rbac.v1.RoleBinding(
                f"{name}-{team}-in-{namespace}",
                metadata=meta.v1.ObjectMetaArgs(
                    name=f"team-{team}-view", namespace=args.namespaces[namespace]
                ),
                role_ref=_VIEW_REF,
                subjects=[_group(team_group(team))],
                opts=pulumi.ResourceOptions(parent=self),
            )
        if args.config.read_only:
            rbac.v1.ClusterRoleBinding(
                f"{name}-readers",
                metadata=meta.v1.ObjectMetaArgs(name="readers-view"),
                role_ref=_VIEW_REF,
                subjects=[_group(READERS)],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def team_namespaces(config: AccessConfig, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Each namespace with each team that owns a service in it and has access, sorted."""
    admitted = {team for team, principals in config.teams.items() if principals}
    owners = {(namespace, what.owner) for namespace, _, what in catalogue.owned()}
    yield from sorted((namespace, team) for namespace, team in owners if team in admitted)


_VIEW_REF = rbac.v1.RoleRefArgs(api_group=RBAC, kind="ClusterRole", name=VIEW)


def _group(name: str) -> rbac.v1.SubjectArgs:
    return rbac.v1.SubjectArgs(api_group=RBAC, kind="Group", name=name)
