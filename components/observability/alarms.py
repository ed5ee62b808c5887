"""When CloudWatch warns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from components.observability import agent

MINUTES = 60
QUARTER_HOUR = 3
"""In periods of five minutes."""
NOTICE_DAYS = 60
"""How long before its end the support of a Kubernetes version is told of."""
CERTIFICATE_DAYS = 30
"""ACM renews its own certificates 60 days before they expire, so that this one was not renewed."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm on one metric."""

    purpose: str
    """The last part of its name."""
    description: str
    """What is wrong, and what to look at first."""
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    """Beside the one of `of`."""
    of: Literal["ClusterName", "CertificateArn"] = "ClusterName"
    """The dimension that says whose metric it is."""
    statistic: Literal["Maximum", "Minimum", "Sum"]
    comparison: Literal["GreaterThanOrEqualToThreshold", "LessThanThreshold"]
    threshold: float
    missing: Literal["breaching", "notBreaching"]
    """What no data means."""
    seconds: int = 5 * MINUTES
    """Of a period."""
    periods: int = QUARTER_HOUR
    expression: str | None = None
    """In place of the metric itself, which it calls `metric`."""


def alarms(
    *,
    degraded: bool,
    support_ends: str | None,
    certificate: bool,
    nodes_stop: bool,
) -> Iterator[Alarm]:
    """The alarms of an environment.

    Args:
        degraded: whether a degraded Application raises one.
        support_ends: the day on which standard support of the Kubernetes version ends,
            year-month-day; None where the version is not known.
        certificate: whether the way in has a certificate.
        nodes_stop: whether all nodes stop by a schedule, and the agents on them with them.
    """
    silence: Literal["breaching", "notBreaching"] = "notBreaching" if nodes_stop else "breaching"
    if degraded:
        yield Alarm(
            purpose="application-degraded",
            description="An Application has been Degraded for 15 minutes. Look at Argo CD, and at "
            "scripts/history.sh for what was released.",
            namespace=agent.NAMESPACE,
            metric=agent.APPLICATIONS,
            dimensions={"health_status": "Degraded"},
            statistic="Maximum",
            comparison="GreaterThanOrEqualToThreshold",
            threshold=1,
            missing="notBreaching",  # no Application is Degraded
        )
    yield Alarm(
        purpose="argocd-not-reconciling",
        description="Argo CD's controller has reconciled nothing for 15 minutes, or nobody can "
        "see it. Look at the pods in the namespaces argocd and amazon-cloudwatch.",
        namespace=agent.NAMESPACE,
        metric=agent.RECONCILIATIONS,
        dimensions={},
        statistic="Sum",
        comparison="LessThanThreshold",
        threshold=1,
        missing=silence,
    )
    yield Alarm(
        purpose="nodes-not-ready",
        description="A node has been unhealthy for 15 minutes. See kubectl get nodes.",
        namespace="ContainerInsights",
        metric="cluster_failed_node_count",
        dimensions={},
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        missing=silence,
    )
    if support_ends:
        yield _expiring(support_ends)
    if certificate:
        yield Alarm(
            purpose="certificate-expires",
            description="The certificate of the way in expires in less than 30 days. See it in "
            "AWS Certificate Manager: its names may no longer be proven, or it was imported.",
            namespace="AWS/CertificateManager",
            metric="DaysToExpiry",
            dimensions={},
            of="CertificateArn",
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=CERTIFICATE_DAYS,
            missing="notBreaching",
            seconds=24 * 60 * MINUTES,
            periods=1,
        )


def _expiring(day: str) -> Alarm:
    """A clock by CloudWatch's own time; the metric only gives it a point every six hours."""
    end = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    return Alarm(
        purpose="support-ends",
        description=f"Standard support of this Kubernetes version and its add-ons ends on {day}. "
        "Raise platform:cluster.version, one minor version at a time.",
        namespace="ContainerInsights",
        metric="cluster_node_count",
        dimensions={},
        statistic="Maximum",
        comparison="LessThanThreshold",
        threshold=NOTICE_DAYS,
        missing="notBreaching",
        seconds=6 * 60 * MINUTES,
        periods=1,
        expression=f"({end} - EPOCH(metric)) / 86400",
    )
