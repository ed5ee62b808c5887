"""`platform:argocd`."""

from __future__ import annotations

from pydantic import Field

from settings.charts import Chart
from settings.model import DomainName, HttpUrl, Model
from settings.sign_on import Sso
from settings.sync_windows import SyncWindow


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
