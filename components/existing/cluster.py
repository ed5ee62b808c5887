"""An existing cluster: what AWS says about it, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from settings.problems import Problem


@dataclass(frozen=True, kw_only=True)
class ExistingCluster:
    """What AWS says about a cluster."""

    name: str
    arn: str
    endpoint: str
    certificate_authority: str
    """PEM in base64."""
    status: str
    vpc: str


def look_up(name: str, opts: pulumi.InvokeOptions) -> ExistingCluster:
    """The cluster `name`, which exists."""
    found = aws.eks.get_cluster(name=name, opts=opts)
    return ExistingCluster(
        name=found.name,
        arn=found.arn,
        endpoint=found.endpoint,
        certificate_authority=found.certificate_authorities[0].data,
        status=found.status,
        vpc=found.vpc_config.vpc_id,
    )


def obstacles(name: str, vpc: str, file: str, opts: pulumi.InvokeOptions) -> Iterator[Problem]:
    """Why the cluster `name` cannot be used in the network `vpc`."""

    def problem(rule: str, remedy: str) -> Problem:
        return Problem(file, "platform:cluster.existing", name, rule, remedy)

    names = sorted(aws.eks.get_clusters(opts=opts).names)
    if name not in names:
        rule = "is no cluster in the account and region of this stack"
        yield problem(rule, f"name one of {', '.join(names)}" if names else "correct aws:region")
        return
    cluster = look_up(name, opts)
    if cluster.status != "ACTIVE":
        yield problem(f"is {cluster.status}, not ACTIVE", "wait for it, or ask who looks after it")
    if cluster.vpc != vpc:
        yield problem(
            f"lives in {cluster.vpc} and not in {vpc} of platform:network.existing",
            "name the cluster's own VPC there",
        )
