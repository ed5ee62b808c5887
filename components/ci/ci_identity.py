"""The identity of pipelines: no stored keys, one role for each service."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.ci import ci_trust
from settings.aws_account import AwsAccount
from settings.catalogue import BuiltService, Catalogue, Ci
from settings.naming import Names

PUSHING = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",  # a pipeline does not build an existing version again
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


@dataclass(frozen=True, kw_only=True)
class CiIdentityArgs:
    """The catalogue, and the CI systems whose OIDC provider the account has (existing)."""

    catalogue: Catalogue
    existing: Collection[Ci]
    names: Names
    account: AwsAccount
    """Where the registry is."""
    permissions_boundary: str | None
    """The permissions boundary of every role, if there is one."""


class CiIdentity(pulumi.ComponentResource):
    """How pipelines push images; created beside the registry, by the stack that owns it.

    An OpenID Connect provider for each CI system that the catalogue uses (looked up where
    the account has it already), and for each service a role that the pipeline of its
    repository can assume from its branch alone, with which it pushes to its own repository
    and to nothing else. No role can delete an image or enter a cluster.
    """

    role_arns: pulumi.Output[Mapping[str, str]]
    """By service, the role that its pipeline assumes."""

    def __init__(
        self, name: str, args: CiIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:CiIdentity", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        used = sorted({service.ci for _, _, service in args.catalogue.built()})
        self._issuer_arns = {ci: self._issuer_arn(ci) for ci in used}
        self.role_arns = pulumi.Output.all(
            **{
                service_name: self._role(namespace, service_name, service)
                for namespace, service_name, service in args.catalogue.built()
            }
        )
        self.register_outputs({"roleArns": self.role_arns})

    def _issuer_arn(self, ci: Ci) -> pulumi.Output[str]:
        """The provider's ARN."""
        issuer, audience = self._issuer(ci)
        if ci in self._args.existing:
            return aws.iam.get_open_id_connect_provider_output(
                url=f"https://{issuer}", opts=pulumi.InvokeOptions(parent=self)
            ).arn
        return aws.iam.OpenIdConnectProvider(
            f"{self._prefix}-{ci}",
            url=f"https://{issuer}",
            client_id_lists=[audience],
            tags=self._names.tags(Name=self._names.of(ci)),
            opts=pulumi.ResourceOptions(parent=self),
        ).arn

    def _issuer(self, ci: Ci) -> tuple[str, str]:
        """A CI system's issuer, without https://, and the audience of its tokens."""
        circleci = self._args.catalogue.circleci
        if ci == "circleci" and circleci:
            return ci_trust.circleci_issuer(circleci.organization), str(circleci.organization)
        return ci_trust.GITHUB_ISSUER, ci_trust.GITHUB_AUDIENCE

    def _role(self, namespace: str, name: str, service: BuiltService) -> pulumi.Output[str]:
        role = aws.iam.Role(
            f"{self._prefix}-{name}",
            name=self._names.ci_role(name),
            permissions_boundary=self._args.permissions_boundary,
            description=f"Pushes the images of {namespace}/{name}, built from {service.source}",
            assume_role_policy=self._issuer_arns[service.ci].apply(
                lambda arn: self._trust(arn, service)
            ),
            max_session_duration=3600,
            tags=self._names.tags(Name=self._names.ci_role(name), Service=name),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.iam.RolePolicy(
            f"{self._prefix}-{name}-push",
            name="push-images",
            role=role.name,
            policy=push_policy(
                self._args.account.image_repository_arn(Names.repository(namespace, name))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role.arn

    def _trust(self, provider_arn: str, service: BuiltService) -> str:
        circleci = self._args.catalogue.circleci
        if service.ci == "circleci" and circleci:
            return ci_trust.circleci(provider_arn, circleci.organization, service)
        return ci_trust.github(provider_arn, service)


def push_policy(repository_arn: str) -> str:
    """Push to, and read from, one repository.

    Signing in to the registry is the one action that cannot name a repository.
    """
    return policies.document(
        policies.allow("Push", PUSHING, [repository_arn]),
        policies.allow("SignIn", ["ecr:GetAuthorizationToken"], ["*"]),
    )
