"""`secrets` of a service, whose values are in AWS Secrets Manager, and `platform:secrets`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from settings.charts import Chart
from settings.model import Matching, Model, different

FOLDER = "/secrets"
"""Where a container finds the files."""

Variable = Annotated[
    str,
    Matching(
        r"(?=.{1,128}$)[A-Za-z][A-Za-z0-9]*(_+[A-Za-z0-9]+)*",
        "must be the name of an environment variable that begins with a letter and ends with a "
        "letter or a digit, 128 characters at most",
    ),
]
File = Annotated[
    str,
    Matching(
        r"(?=.{1,128}$)[A-Za-z0-9]+([_-]+[A-Za-z0-9]+|\.[A-Za-z0-9]+)*",
        "must be a file name of letters, digits and, between two of them, dots, hyphens and "
        "underscores, 128 characters at most",
    ),
]


class Secrets(Model):
    """What a service is told in secret; each name has a value of its own in each environment."""

    env: Annotated[list[Variable], different] = Field(
        default=[], description="environment variables"
    )
    files: Annotated[list[File], different] = Field(default=[], description=f"files in {FOLDER}")

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.env or self.files)

    def names(self) -> Iterator[str]:
        """Every name, sorted."""
        yield from sorted({*self.env, *self.files})

    def objects(self, service: str) -> Iterator[str]:
        """The Kubernetes Secret of each."""
        return (object_name(service, name) for name in self.names())


def object_name(service: str, name: str) -> str:
    """The Kubernetes Secret, and the ExternalSecret, of one secret: `web.database-url`.

    No service has a dot in its name, so the part before the first dot says whose it is.
    """
    return f"{service}.{name.lower().replace('_', '-')}"


class SecretsConfig(Model):
    """External Secrets of one environment, which brings the services' secrets."""

    chart: Chart = Field(Chart.model_validate({}), description="in place of the pinned one")
