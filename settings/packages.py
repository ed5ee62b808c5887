"""`packages` of a namespace: charts that somebody else makes, each at one version."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from settings.kinds import ClusterKind, PackageKind
from settings.model import Digest, DnsLabel, Matching, Model, different

ChartRepository = Annotated[
    str,
    Matching(
        r"(https?|oci)://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~-]+)*",
        "must be the address of a chart repository, without a password and without a slash at the "
        "end, such as https://charts.example.com or oci://registry.example.com/charts",
    ),
]
ChartName = Annotated[
    str,
    Matching(r"[a-z0-9][A-Za-z0-9._-]{0,251}", "must be the name of a chart in the repository"),
]
PinnedVersion = Annotated[
    str,
    Matching(
        r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?",
        "must be one version of the chart such as 21.2.0, and no range; write it as the "
        "repository lists it, in quotes",
    ),
]
Values = dict[str, Any]


class PackageChart(Model):
    """A chart of a repository, at one version."""

    repository: ChartRepository = Field(
        description="its address, which begins with https:// or oci:// and needs no password"
    )
    name: ChartName = Field(description="the chart's name there")
    version: PinnedVersion = Field(description="one version, no range")
    digest: Digest = Field(
        description="of the chart's archive, as `helm pull` and `sha256sum` tell it: what is "
        "released, whatever becomes of the version in the repository"
    )

    @property
    def address(self) -> str:
        """Repository and name in one."""
        return f"{self.repository}/{self.name}"


class PackageOverride(Model):
    """What differs of a package in one environment."""

    values: Values = Field(description="laid over the package's own")


class Package(Model):
    """A chart of somebody else, installed in a namespace under a name of ours."""

    owner: str = Field(description="a key of `teams`")
    chart: PackageChart = Field(
        description="what the fast environment runs; promoted like other versions"
    )
    values: Values = Field(default={}, description="the chart's values in every environment")
    kinds: Annotated[list[PackageKind], different] = Field(
        default=[],
        description="kinds of its objects beside those of every namespace, such as Secret or "
        "rbac.authorization.k8s.io/Role; only this package may declare them",
    )
    cluster_kinds: Annotated[list[ClusterKind], different] = Field(
        default=[],
        description="kinds of its objects that belong to no namespace, such as "
        "apiextensions.k8s.io/CustomResourceDefinition",
    )
    environments: Annotated[list[DnsLabel], Field(min_length=1), different] | None = Field(
        None, description="the stacks that have it; all unless set"
    )
    overrides: dict[DnsLabel, PackageOverride] = Field(
        default={}, description="by stack, the values that differ there"
    )

    def lives_in(self, environment: str) -> bool:
        return self.environments is None or environment in self.environments
