"""A cluster that somebody else looks after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from settings import Problem, SettingsError


@dataclass(frozen=True, kw_only=True)
class ExistingCluster:
    """What AWS tells about a cluster."""

    name: str
    arn: str
    endpoint: str
    certificate_authority: str
    """PEM in base64."""
    status: str
    vpc: str


def look_up(
    name: str, *, vpc: str | None, file: str, opts: pulumi.InvokeOptions
) -> ExistingCluster:
    """The cluster `name`; RunError where this program cannot use it.

    vpc: the network it has to be in, where that one exists already.
    """
    found = aws.eks.get_cluster(name=name, opts=opts)
    cluster = ExistingCluster(
        name=found.name,
        arn=found.arn,
        endpoint=found.endpoint,
        certificate_authority=found.certificate_authorities[0].data,
        status=found.status,
        vpc=found.vpc_config.vpc_id,
    )
    if problems := list(obstacles(cluster, vpc, file)):
        raise pulumi.RunError(str(SettingsError(problems)))
    return cluster


def obstacles(cluster: ExistingCluster, vpc: str | None, file: str) -> Iterator[Problem]:
    """Why a cluster cannot be used."""

    def problem(rule: str, remedy: str) -> Problem:
        return Problem(file, "platform:cluster.existing", cluster.name, rule, remedy)

    if cluster.status != "ACTIVE":
        yield problem(f"is {cluster.status}, not ACTIVE", "wait for it, or ask who looks after it")
    if vpc and cluster.vpc != vpc:
        yield problem(
            f"lives in {cluster.vpc} and not in {vpc} of platform:network.existing",
            "name the cluster's own VPC there",
        )
