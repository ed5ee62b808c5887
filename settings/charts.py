"""`chart` of what Helm installs: another source or version than the pinned one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.model import Matching, Model

ChartVersion = Annotated[
    str, Matching(r"\d+\.\d+\.\d+", "must be one chart version such as 10.1.1, not a range")
]


class Chart(Model):
    """The source and version of a Helm chart."""

    repository: str | None = Field(None, description="in place of the chart's own repository")
    version: ChartVersion | None = Field(None, description="in place of the pinned version")
