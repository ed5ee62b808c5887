"""The one switch: everything that makes an environment fast or safe, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Resources:
    """A container's requests and limits, in Kubernetes quantities."""

    cpu_request: str
    cpu_limit: str | None
    memory_request: str
    memory_limit: str


@dataclass(frozen=True, kw_only=True)
class Speed:
    """One column of the table: how an environment behaves."""

    name: Literal["fast", "safe"]
    automated_sync: bool
    """Argo CD syncs, prunes and heals by itself; otherwise a person starts every sync."""
    sync_retries: int
    """How often Argo CD tries a sync again that failed; a person decides what follows otherwise."""
    rendered: bool
    """Argo CD applies the manifests that a release rendered and committed; otherwise it renders
    base, overlay and version by itself, at every commit."""
    owners_sync: bool
    """The owning team may sync its Applications; otherwise only the releasers may."""
    moving_tag: bool
    """Services may run the tag that every build moves; otherwise only version and digest."""
    keel: bool
    """Keel is installed for the services that it delivers; otherwise it is refused."""
    protected: bool
    """Workloads cannot be deleted by accident, and Argo CD runs highly available."""
    extended_support: bool
    """Kubernetes stays as it is when standard support ends, at a price; otherwise AWS upgrades
    the control plane by itself."""
    log_retention_days: int
    """How long CloudWatch keeps the logs of the control plane and the network."""
    log_level: Literal["debug", "info"]
    """What services get as LOG_LEVEL, until their overlay says otherwise."""
    replicas: int
    """How many pods a service starts with, until its overlay says otherwise."""
    disruption_budget: bool
    """Nodes are drained only as far as enough pods of a service stay."""
    resources: Resources
    """What a container starts with, until its overlay says otherwise."""


SPEEDS = MappingProxyType(
    {
        "fast": Speed(
            name="fast",
            automated_sync=True,
            sync_retries=5,
            rendered=False,
            owners_sync=True,
            moving_tag=True,
            keel=True,
            protected=False,
            extended_support=False,
            log_retention_days=14,
            log_level="debug",
            replicas=1,
            disruption_budget=False,
            resources=Resources(
                cpu_request="50m", cpu_limit=None, memory_request="64Mi", memory_limit="512Mi"
            ),
        ),
        "safe": Speed(
            name="safe",
            automated_sync=False,
            sync_retries=0,
            rendered=True,
            owners_sync=False,
            moving_tag=False,
            keel=False,
            protected=True,
            extended_support=True,
            log_retention_days=365,
            log_level="info",
            replicas=2,
            disruption_budget=True,
            resources=Resources(
                cpu_request="250m", cpu_limit="250m", memory_request="256Mi", memory_limit="256Mi"
            ),
        ),
    }
)
