"""Roles in AWS for pods, by way of EKS Pod Identity."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import policies
from settings.aws_account import AwsAccount
from settings.naming import Names


@dataclass(frozen=True, kw_only=True)
class PodIdentity:
    """A service account of a cluster, whose pods get one role."""

    cluster_name: Output[str]
    account: AwsAccount
    """Where the cluster is."""
    namespace: str
    service_account: str

    def trust(self) -> Output[str]:
        """The trust policy of the role: these pods alone take it."""
        return self.cluster_name.apply(
            lambda name: policies.trust_pods(
                self.account.cluster_arn(name),
                namespace=self.namespace,
                service_account=self.service_account,
            )
        )

    def association(
        self, name: str, role: aws.iam.Role, names: Names, opts: ResourceOptions
    ) -> aws.eks.PodIdentityAssociation:
        """Hands the role to the pods; name: of the resource in Pulumi."""
        return aws.eks.PodIdentityAssociation(
            name,
            cluster_name=self.cluster_name,
            namespace=self.namespace,
            service_account=self.service_account,
            role_arn=role.arn,
            tags=names.tags(),
            opts=opts,
        )
