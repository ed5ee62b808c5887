"""Logs, metrics and alarms of one environment in CloudWatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components.observability import agent, alarms
from components.observability.alarms import Alarm
from components.pod_identity import PodIdentity
from settings.aws_account import AwsAccount
from settings.naming import Names
from settings.observability import ObservabilityConfig

ADDON = "amazon-cloudwatch-observability"
NAMESPACE = "amazon-cloudwatch"
SERVICE_ACCOUNT = "cloudwatch-agent"
"""Of the agents, and of Fluent Bit, which sends the logs."""
POLICY = "CloudWatchAgentServerPolicy"


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """Where it runs, and what is known of the cluster there."""

    config: ObservabilityConfig
    names: Names
    account: AwsAccount
    permissions_boundary: str | None
    cluster_name: Output[str]
    degraded: bool
    """Whether a degraded Application raises an alarm."""
    support_ends: str | None
    """When standard support of the Kubernetes version ends, year-month-day; None: not known."""
    certificate: Output[str] | None
    """The ARN of the certificate of the way in, if there is one."""
    nodes_stop: bool
    """Whether all nodes stop by a schedule, such as at night."""
    wait_for: pulumi.Resource
    """The release of Argo CD, whose metrics are read; it is on nodes, which the add-on needs."""


class Observability(pulumi.ComponentResource):
    """What people see and are told of an environment, in CloudWatch.

    Creates the EKS add-on amazon-cloudwatch-observability with a role for its pods (Container
    Insights, logs of all pods, and Argo CD's metrics), an SNS topic unless one is named, and an
    alarm for each line of alarms.py. Nobody is subscribed to the new topic. Wants the add-on
    eks-pod-identity-agent or Auto Mode.
    """

    topic: Output[str]
    """The ARN of the SNS topic that alarms tell."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Observability", name, None, opts)
        self._prefix = name
        self._args = args
        self._addon(self._role())
        self.topic = self._topic()
        wanted = alarms.alarms(
            degraded=args.degraded,
            support_ends=args.support_ends,
            certificate=args.certificate is not None,
            nodes_stop=args.nodes_stop,
        )
        for alarm in wanted:
            self._alarm(alarm)
        self.register_outputs({"topic": self.topic})

    def _role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
        args = self._args
        identity = PodIdentity(
            cluster_name=args.cluster_name,
            account=args.account,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
        )
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=args.names.role("observability"),
            permissions_boundary=args.permissions_boundary,
            description="Sends logs and metrics to CloudWatch",
            assume_role_policy=identity.trust(),
            tags=args.names.tags(),
            opts=self._own(),
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._prefix}-policy",
            role=role.name,
            policy_arn=args.account.managed_policy_arn(POLICY),
            opts=self._own(),
        )
        return role, attachment

    def _addon(self, rights: tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]) -> None:
        role, attachment = rights
        association = aws.eks.AddonPodIdentityAssociationArgs(
            role_arn=role.arn, service_account=SERVICE_ACCOUNT
        )
        aws.eks.Addon(
            f"{self._prefix}-addon",
            cluster_name=self._args.cluster_name,
            addon_name=ADDON,
            addon_version=self._args.config.version,
            configuration_values=self._args.cluster_name.apply(
                lambda cluster: agent.configuration_values(cluster, self._args.account.region)
            ),
            pod_identity_associations=[association],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=self._args.names.tags(Name=self._args.names.of(ADDON)),
            opts=ResourceOptions(parent=self, depends_on=[attachment, self._args.wait_for]),
        )

    def _topic(self) -> Output[str]:
        if named := self._args.config.topic:
            return Output.from_input(named)
        name = self._args.names.of("alarms")
        return aws.sns.Topic(
            f"{self._prefix}-alarms",
            name=name,
            tags=self._args.names.tags(Name=name),
            opts=self._own(),
        ).arn

    def _alarm(self, alarm: Alarm) -> None:
        name = self._args.names.of(alarm.purpose)
        aws.cloudwatch.MetricAlarm(
            f"{self._prefix}-{alarm.purpose}",
            name=name,
            alarm_description=alarm.description,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            treat_missing_data=alarm.missing,
            metric_queries=self._queries(alarm),
            alarm_actions=[self.topic],
            ok_actions=[self.topic],
            tags=self._args.names.tags(Name=name),
            opts=self._own(),
        )

    def _queries(self, alarm: Alarm) -> Sequence[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
        """The metric, and the expression on it if the alarm has one; the last is compared."""
        metric = aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions={alarm.of: self._whose(alarm), **alarm.dimensions},
            stat=alarm.statistic,
            period=alarm.seconds,
        )
        if not alarm.expression:
            return [
                aws.cloudwatch.MetricAlarmMetricQueryArgs(
                    id="metric", metric=metric, return_data=True
                )
            ]
        return [
            aws.cloudwatch.MetricAlarmMetricQueryArgs(id="metric", metric=metric),
            aws.cloudwatch.MetricAlarmMetricQueryArgs(
                id="watched",
                expression=alarm.expression,
                label=alarm.purpose,
                return_data=True,
            ),
        ]

    def _whose(self, alarm: Alarm) -> Output[str]:
        """The value of the dimension that names the cluster or the certificate."""
        certificate = self._args.certificate
        if alarm.of == "CertificateArn" and certificate is not None:
            return certificate
        return self._args.cluster_name

    def _own(self) -> ResourceOptions:
        return ResourceOptions(parent=self)
