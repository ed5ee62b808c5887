"""What services have for themselves: secrets, and roles in AWS."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions

from components.secrets.external_secrets import ExternalSecrets, ExternalSecretsArgs
from components.secrets.stores import Reading
from components.service_access.isolation import Isolation, IsolationArgs
from components.service_access.service_roles import ServiceRoles, ServiceRolesArgs


@dataclass(frozen=True, kw_only=True)
class ServiceAccessArgs:
    """secrets and roles: None where no service of the environment has any."""

    isolation: IsolationArgs
    secrets: ExternalSecretsArgs | None
    roles: ServiceRolesArgs | None


class ServiceAccess(pulumi.ComponentResource):
    """External Secrets where a service has secrets, roles where one has rights in AWS, and the
    policies that keep both from other services of the namespace.

    Wants a Kubernetes provider in `opts`; the AWS provider is the default one unless given too.
    """

    reading: Reading | None = None
    """How secrets are read, if a service has some."""
    first: list[pulumi.Resource]
    """What has to be there before the services."""

    def __init__(
        self, name: str, args: ServiceAccessArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:ServiceAccess", name, None, opts)
        own = ResourceOptions(parent=self)
        self.first = [*Isolation(f"{name}-isolation", args.isolation, own).policies]
        if args.roles:
            self.first += ServiceRoles(f"{name}-roles", args.roles, own).associations
        if args.secrets:
            secrets = ExternalSecrets(f"{name}-secrets", args.secrets, own)
            self.reading = Reading(
                reader_arn=secrets.reader_arn,
                names=args.secrets.names,
                region=args.secrets.account.region,
                operator=secrets.release,
            )
        self.register_outputs({})
