"""`platform:argocd`, `platform:keel` and `platform:secrets`: what runs beside the services."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from settings.model import DomainName, GithubName, HttpUrl, Matching, Model
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


def _enterprise(host: str) -> str:
    if host == "github.com":
        raise ValueError("is the default; leave the key out")
    return host


class GithubSso(Model):
    """Sign-on by GitHub: a group is a team, as `<organization>:<team>`."""

    organization: GithubName = Field(
        description="its members sign in; spelled exactly as on GitHub"
    )
    host: Annotated[DomainName, AfterValidator(_enterprise)] | None = Field(
        None, description="of GitHub Enterprise Server, in place of github.com"
    )


class Sso(Model):
    """Single sign-on by OpenID Connect or GitHub; its secret is `platform:ssoClientSecret`."""

    issuer: HttpUrl | None = Field(None, description="the URL of an OpenID Connect provider")
    github: GithubSso | None = Field(None, description="in place of issuer: GitHub itself")
    client_id: str = Field(min_length=1, description="Argo CD's id at the provider")

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.issuer is None) == (self.github is None):
            raise ValueError("must have either issuer (OpenID Connect) or github (GitHub itself)")
        return self


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


class SecretsConfig(Model):
    """External Secrets of one environment, which brings the services' secrets."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
