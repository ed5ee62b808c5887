"""`platform:keel`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.charts import Chart
from settings.model import DnsLabel, Matching, Model, different

PollSchedule = Annotated[
    str,
    Matching(
        r"@every ([1-9]\d*)(s|m|h)|@hourly|@daily",
        "must be a Keel schedule such as '@every 30s'",
    ),
]


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
