"""Roles in AWS of the services that have rights there, by way of EKS Pod Identity."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import policies
from components.pod_identity import PodIdentity
from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.naming import Names
from settings.rights import Rights


@dataclass(frozen=True, kw_only=True)
class ServiceRolesArgs:
    """Who gets a role, and where."""

    environment: str
    catalogue: Catalogue
    """The services that live in the environment."""
    names: Names
    account: AwsAccount
    permissions_boundary: str | None
    """The permissions boundary of every role; the settings ask for one where a service has
    rights."""
    cluster_name: Output[str]


class ServiceRoles(pulumi.ComponentResource):
    """An IAM role for each service of the environment that has `aws`.

    Its trust policy admits pods of the service's own service account in this cluster and nobody
    else. The role has the managed policies and statements of the catalogue, below the permissions
    boundary; whatever they allow, it never reads the secrets of services from Secrets Manager. A
    Pod Identity association hands the role to the service's pods.
    """

    associations: list[pulumi.Resource]
    """They have to be there before the pods, which get their role when they are made."""

    def __init__(
        self, name: str, args: ServiceRolesArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:ServiceRoles", name, None, opts)
        self._prefix = name
        self._args = args
        self.associations = [
            self._association(namespace, service, rights)
            for namespace, service, described in args.catalogue.entries()
            if (rights := described.rights(args.environment))
        ]
        self.register_outputs({})

    def _association(self, namespace: str, service: str, rights: Rights) -> pulumi.Resource:
        args = self._args
        identity = PodIdentity(
            cluster_name=args.cluster_name,
            account=args.account,
            namespace=namespace,
            service_account=service,
        )
        role = aws.iam.Role(
            f"{self._prefix}-{service}",
            name=args.names.service_role(service),
            permissions_boundary=args.permissions_boundary,
            description=f"The service {service}",
            assume_role_policy=identity.trust(),
            tags=args.names.tags(),
            opts=ResourceOptions(parent=self),
        )
        granted: list[pulumi.Resource] = [
            aws.iam.RolePolicy(
                f"{self._prefix}-{service}-policy",
                name="service",
                role=role.name,
                policy=role_policy(rights, args.names, args.account),
                opts=ResourceOptions(parent=self),
            ),
            *(
                aws.iam.RolePolicyAttachment(
                    f"{self._prefix}-{service}-{arn.partition('policy/')[2].replace('/', '-')}",
                    role=role.name,
                    policy_arn=arn,
                    opts=ResourceOptions(parent=self),
                )
                for arn in sorted(rights.policies)
            ),
        ]
        return identity.association(
            f"{self._prefix}-{service}-identity",
            role,
            args.names,
            ResourceOptions(parent=self, depends_on=granted),
        )


def role_policy(rights: Rights, names: Names, account: AwsAccount) -> str:
    """The role's own policy: the catalogue's statements, and what none of them overcomes."""
    secrets = account.arn("secretsmanager", f"secret:{names.organization}/*", region="*")
    return policies.document(
        *rights.documents(),
        {
            "Sid": "SecretsComeOtherwise",
            "Effect": "Deny",
            "Action": ["secretsmanager:*"],
            "Resource": [secrets],
        },
    )
