"""`platform:observability`: what is sent to CloudWatch, and whom alarms tell."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.cluster import AddonVersion
from settings.model import Matching, Model

TopicArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
        "must be the ARN of a standard SNS topic",
    ),
]


class ObservabilityConfig(Model):
    """Logs, metrics and alarms in CloudWatch; {} for the defaults."""

    version: AddonVersion | None = Field(
        None, description="of the add-on amazon-cloudwatch-observability; unset: EKS chooses"
    )
    topic: TopicArn | None = Field(
        None, description="the ARN of the SNS topic that alarms tell; unset: a new one"
    )
