"""What keeps services of one namespace from each other's secrets and roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.admissionregistration import v1 as admission

from components.service_access.admission import (
    Services,
    accounts_spec,
    external_secrets_spec,
    pods_spec,
)
from settings.catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class IsolationArgs:
    """environment: which; catalogue: the services that live in it."""

    environment: str
    catalogue: Catalogue


class Isolation(pulumi.ComponentResource):
    """Admission policies, for the namespaces where a service has secrets or rights in AWS.

    `services-keep-their-accounts`, and where there are secrets `services-keep-their-secrets` and
    `services-keep-their-stores`, each with its binding. Kubernetes itself refuses what they forbid.
    Wants a Kubernetes provider in `opts`.
    """

    policies: list[pulumi.Resource]
    """The bindings; they have to be there before the services."""

    def __init__(self, name: str, args: IsolationArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:Isolation", name, None, opts)
        self._prefix = name
        self.policies = [
            self._policy(policy, spec)
            for policy, spec in policies(args.environment, args.catalogue).items()
        ]
        self.register_outputs({})

    def _policy(self, name: str, spec: Any) -> pulumi.Resource:
        policy = admission.ValidatingAdmissionPolicy(
            f"{self._prefix}-{name}",
            metadata={"name": name},
            spec=spec,
            opts=ResourceOptions(parent=self),
        )
        return admission.ValidatingAdmissionPolicyBinding(
            f"{self._prefix}-{name}-binding",
            metadata={"name": name},
            spec={"policy_name": name, "validation_actions": ["Deny"]},
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )


def policies(environment: str, catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """The policies of an environment by name; none where nothing is to be kept."""
    secretive = _by_namespace((ns, name) for ns, name, _ in catalogue.secretive())
    guarded = _by_namespace(
        (ns, name) for ns, name, service in catalogue.entries() if service.has_private(environment)
    )
    return {
        **({"services-keep-their-accounts": accounts_spec(guarded)} if guarded else {}),
        **(
            {
                "services-keep-their-secrets": pods_spec(secretive),
                "services-keep-their-stores": external_secrets_spec(secretive),
            }
            if secretive
            else {}
        ),
    }


def _by_namespace(services: Iterator[tuple[str, str]]) -> Services:
    found: dict[str, list[str]] = {}
    for namespace, name in services:
        found.setdefault(namespace, []).append(name)
    return found
