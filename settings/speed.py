"""Everything that makes an environment fast or safe, as a table."""

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
class Quota:
    """What all pods of a namespace may have together, in Kubernetes quantities."""

    cpu: str
    """Requested."""
    memory: str
    """Requested."""
    memory_limit: str
    storage: str
    """Of volumes, requested."""
    pods: int


@dataclass(frozen=True, kw_only=True)
class Speed:
    """One column of the table."""

    name: Literal["fast", "safe"]
    automated_sync: bool
    """Argo CD syncs, prunes and heals by itself; otherwise a person starts each sync."""
    sync_retries: int
    """How often Argo CD retries a failed sync; with 0 a person decides."""
    rendered: bool
    """Argo CD applies manifests that a release rendered and committed; otherwise it renders base,
    overlay and version at every commit."""
    owners_sync: bool
    """The owning team can sync its Applications; otherwise only releasers can."""
    moving_tag: bool
    """Services can run the tag that every build moves; otherwise only version and digest."""
    keel: bool
    """Keel is installed for services with delivery: keel; otherwise it is refused."""
    protected: bool
    """Workloads are protected against deletion, and Argo CD has two replicas."""
    degraded_alarm: bool
    """An Application that stays degraded raises an alarm, where alarms are set."""
    nodes_stop: bool
    """Node groups may stop by a schedule, such as at night; otherwise it is refused."""
    extended_support: bool
    """Kubernetes stays at its version when standard support ends, which costs more; otherwise AWS
    upgrades the control plane."""
    log_retention_days: int
    """How long CloudWatch keeps the logs of the control plane and the network."""
    log_level: Literal["debug", "info"]
    """LOG_LEVEL of services, unless an overlay sets it."""
    replicas: int
    """Pods of a service, unless an overlay sets it."""
    disruption_budget: bool
    """A drain of nodes leaves enough pods of a service running."""
    resources: Resources
    """Resources of a container, unless an overlay sets them."""
    quota: Quota
    """What all pods of a namespace may have together, unless `quota` of the namespace sets it."""


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
            degraded_alarm=False,
            nodes_stop=True,
            extended_support=False,
            log_retention_days=14,
            log_level="debug",
            replicas=1,
            disruption_budget=False,
            resources=Resources(
                cpu_request="50m", cpu_limit=None, memory_request="64Mi", memory_limit="512Mi"
            ),
            quota=Quota(cpu="8", memory="16Gi", memory_limit="64Gi", storage="200Gi", pods=100),
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
            degraded_alarm=True,
            nodes_stop=False,
            extended_support=True,
            log_retention_days=365,
            log_level="info",
            replicas=2,
            disruption_budget=True,
            resources=Resources(
                cpu_request="250m", cpu_limit="250m", memory_request="256Mi", memory_limit="256Mi"
            ),
            quota=Quota(cpu="32", memory="64Gi", memory_limit="64Gi", storage="1Ti", pods=200),
        ),
    }
)
