"""`platform:argocd`, `platform:keel` and `platform:secrets`: what runs beside the services."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.model import DnsLabel, DomainName, HttpUrl, Matching, Model, different
from settings.sign_on import Sso
from settings.sync_windows import SyncWindow

ChartVersion = Annotated[
    str, Matching(r"\d+\.\d+\.\d+", "must be one chart version such as 10.1.1, not a range")
]
PollSchedule = Annotated[
    str,
    Matching(
        r"@every ([1-9]\d*)(s|m|h)|@hourly|@daily",
        "must be a Keel schedule such as '@every 30s'",
    ),
]


class Chart(Model):
    """The source and version of a Helm chart."""

    repository: str | None = Field(None, description="in place of the chart's own repository")
    version: ChartVersion | None = Field(None, description="in place of the pinned version")


class Notifications(Model):
    """Where Argo CD sends notifications; the Slack token is `platform:slackToken`."""

    slack_channel: str | None = Field(None, description="its name, without #")
    webhook: HttpUrl | None = Field(None, description="takes messages as JSON")


class ArgoCdConfig(Model):
    """Argo CD of one environment."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
    domain: DomainName | None = Field(
        None, description="the host name of its UI and API; argocd.<domain> unless set"
    )
    sso: Sso | None = Field(None, description="sign-in; without it only the local admin signs in")
    notifications: Notifications = Field(
        Notifications.model_validate({}), description="deployed, degraded, failed, waiting"
    )
    reconciliation_seconds: int = Field(30, ge=10, le=3600, description="how often Git is read")
    sync_windows: list[SyncWindow] = Field(
        [], description="when syncs and approvals are allowed or denied; none: always allowed"
    )


class KeelConfig(Model):
    """Keel of one fast environment."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
    schedule: PollSchedule = Field(
        "@every 30s", description="how often Keel asks the registry for new builds"
    )
    metrics_from: Annotated[list[DnsLabel], different] = Field(
        default=[],
        description="namespaces whose pods may read Keel's metrics; they then also reach its "
        "webhooks, which ask for no password; none: nobody reaches Keel",
    )


class SecretsConfig(Model):
    """External Secrets of one environment, which brings the services' secrets."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
