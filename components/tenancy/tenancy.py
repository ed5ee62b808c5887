"""Teams that share a cluster, kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes import admissionregistration, core, networking

from components.kubernetes_objects import OF_THE_PLATFORM
from components.tenancy import admission, quotas
from components.tenancy.network_policies import network_policies
from settings.naming import Names
from settings.speed import Resources
from settings.tenancy import Tenant


@dataclass(frozen=True, kw_only=True)
class TenancyArgs:
    """Who shares the cluster."""

    tenants: Sequence[Tenant]
    registry: str
    """The host of the platform's registry."""
    defaults: Resources
    """Of containers that set none."""
    enforced: bool
    """Otherwise the API server only warns, and nothing else is set."""
    names: Names
    namespaces: Mapping[str, Input[str]]
    """The tenants' namespaces by name, as created."""


class Tenancy(pulumi.ComponentResource):
    """What keeps the teams of one cluster apart.

    For each namespace of the catalogue a ResourceQuota, a LimitRange, and NetworkPolicies that let
    in the namespace's own pods, its callers and what leads to its services with an Ingress. For all
    of them ValidatingAdmissionPolicies: Ingresses and routes for their own hosts alone, no Service
    that opens a way of its own, images of the platform's registry and of the catalogue. Packages
    are exempt: the catalogue says what they bring. Wants a Kubernetes provider in `opts`.
    """

    def __init__(self, name: str, args: TenancyArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:Tenancy", name, None, opts)
        self._prefix = name
        self._args = args
        if args.enforced:
            for tenant in args.tenants:
                self._room(tenant)
                self._callers(tenant)
        for policy, spec in admission.policies(args.tenants, args.registry).items():
            self._policy(policy, spec)
        self.register_outputs({})

    def _room(self, tenant: Tenant) -> None:
        """How much there is of a namespace; containers without a size get the usual one."""
        namespace = self._args.namespaces[tenant.namespace]
        defaults = core.v1.LimitRange(
            f"{self._prefix}-{tenant.namespace}-defaults",
            metadata={"name": "defaults", "namespace": namespace},
            spec=core.v1.LimitRangeSpecArgs(limits=quotas.limits(self._args.defaults)),
            opts=self._own(),
        )
        core.v1.ResourceQuota(
            f"{self._prefix}-{tenant.namespace}-quota",
            metadata={"name": "quota", "namespace": namespace},
            spec={
                "hard": {
                    **quotas.hard(tenant.quota),
                    **({} if tenant.packages else quotas.NO_OTHER_WAY_IN),
                }
            },
            # Before, it would refuse pods that set no size.
            opts=ResourceOptions(parent=self, depends_on=[defaults]),
        )

    def _callers(self, tenant: Tenant) -> None:
        for policy, spec in network_policies(tenant):
            networking.v1.NetworkPolicy(
                f"{self._prefix}-{tenant.namespace}-{policy}",
                metadata={
                    "name": f"{OF_THE_PLATFORM}{policy}",
                    "namespace": self._args.namespaces[tenant.namespace],
                },
                spec=spec,
                opts=self._own(),
            )

    def _policy(self, policy: str, spec: Any) -> None:
        name = self._args.names.of(policy)
        rule = admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{self._prefix}-{policy}",
            metadata={"name": name},
            spec=spec,
            opts=self._own(),
        )
        actions = ["Deny"] if self._args.enforced else ["Warn", "Audit"]
        binding: Any = admission.binding(name, self._args.tenants, actions)
        admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{self._prefix}-{policy}-binding",
            metadata={"name": name},
            spec=binding,
            opts=ResourceOptions(parent=self, depends_on=[rule]),
        )

    def _own(self) -> ResourceOptions:
        return ResourceOptions(parent=self)
