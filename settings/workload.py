"""What runs of a service: how it is started, asked, sized and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from settings.health import Check, Command, Health, HttpPath, Probe
from settings.model import DnsLabel, Matching, Model, ShortFor
from settings.quantities import Cpu, Size
from settings.rights import Rights
from settings.schedules import CronSchedule, TimeZone

Port = Annotated[int, Field(ge=1024, le=65535)]
"""What a container may listen on that is not root."""
PortName = Annotated[
    str,
    Matching(
        r"(?!.*--)(?=.{0,14}[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?",
        "must be a port's name: lower-case letters, digits and hyphens, 15 characters at most",
    ),
]
EnvName = Annotated[
    str,
    Matching(r"[A-Za-z_][A-Za-z0-9_]*", "must be the name of an environment variable"),
]
Percent = Annotated[int, Field(ge=1, le=1000)]


MountPath = Annotated[
    str,
    Matching(
        r"(/[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*)+", "must be a folder such as /var/lib/data"
    ),
]


class Volume(Model):
    """A volume of each pod, which stays when the pod is replaced."""

    path: MountPath = Field(description="where the container mounts it")
    size: Size = Field(description="such as 10Gi; Kubernetes cannot change it here later")
    storage_class: DnsLabel | None = Field(
        None, alias="class", description="a StorageClass; the cluster's default one unless set"
    )


class Amounts(Model):
    """CPU and memory, as Kubernetes writes them."""

    cpu: Cpu | None = Field(None, description="such as 250m or 1")
    memory: Size | None = Field(None, description="such as 256Mi or 1Gi")


class ContainerResources(Model):
    """CPU and memory of a container; the environment's speed decides what is not set."""

    requests: Amounts | None = Field(None, description="what a node must have free")
    limits: Amounts | None = Field(None, description="what it cannot exceed")


class Scale(Model):
    """A HorizontalPodAutoscaler: the number of pods follows from their use."""

    min: Annotated[int, Field(ge=1)] | None = Field(
        None, description="fewest pods; as many as without scale unless set"
    )
    max: int = Field(ge=1, description="most pods")
    cpu: Percent | None = Field(
        None, description="target for the average use, in percent of the request"
    )
    memory: Percent | None = Field(None, description="the same for memory")

    @model_validator(mode="after")
    def has_a_target(self) -> Self:
        if self.cpu is None and self.memory is None:
            raise ValueError("names no target; add cpu: 70, in percent of the request")
        if self.min and self.min > self.max:
            raise ValueError(f"min {self.min} exceeds max {self.max}; lower min or raise max")
        return self


def refuse_both(given: Process | Override) -> None:
    """Raises ValueError where the number of pods is both fixed and not."""
    if given.scale and given.replicas is not None:
        raise ValueError("has replicas and scale, and only one can decide; remove one of them")


class Process(Model):
    """What runs of an image: its command, its ports, and how many of it there are."""

    command: Command | None = Field(
        None, description="replaces the image's entry point; one word in each entry"
    )
    args: Command | None = Field(None, description="replaces the image's own arguments")
    port: Port | None = Field(None, description="the HTTP port; the Service has it as port 80")
    ports: dict[PortName, Port] = Field(
        default={}, description="other ports by name; the Service has the same numbers"
    )
    health: Annotated[Health, ShortFor("http", HttpPath)] | None = Field(
        None, description="the probes; /healthz on port unless set"
    )
    replicas: Annotated[int, Field(ge=0)] | None = Field(
        None, description="pods in every environment; the speed decides unless set"
    )
    resources: ContainerResources | None = Field(
        None, description="CPU and memory in every environment; the speed decides unless set"
    )
    scale: Scale | None = Field(None, description="in place of replicas: autoscaling")

    @model_validator(mode="after")
    def one_number(self) -> Self:
        refuse_both(self)
        return self

    def checks(self) -> Mapping[Probe, Check]:
        """What Kubernetes asks when; nothing where there is nothing to ask."""
        if self.health:
            return self.health.checks()
        return _HEALTHZ.checks() if self.port else {}


_HEALTHZ = Health.model_validate({"http": "/healthz"})


class Migrate(Model):
    """A command that must succeed once for each version before any pod of it serves."""

    command: Command = Field(description="a command of the new image; one word in each entry")
    minutes: int = Field(10, ge=1, le=600, description="after which an unfinished one has failed")


class History(Model):
    """How many ended runs Kubernetes keeps."""

    succeeded: int = Field(3, ge=0, description="runs that succeeded")
    failed: int = Field(1, ge=0, description="runs that failed")


class FurtherProcess(Process):
    """A process of the same image beside the service itself, or a scheduled one."""

    schedule: CronSchedule | None = Field(
        None, description="when it runs, as a cron schedule; without one it always runs"
    )
    time_zone: TimeZone | None = Field(
        None, description="the time zone of the schedule; UTC unless set"
    )
    concurrency: Literal["forbid", "allow", "replace"] | None = Field(
        None,
        description="if the last run has not ended when the next is due: forbid (skip it, the "
        "default), allow or replace",
    )
    history: History | None = Field(None, description="how many ended runs stay")

    @model_validator(mode="after")
    def one_kind(self) -> Self:
        always = self.written("port", "ports", "health", "replicas", "scale")
        scheduled = self.written("time_zone", "concurrency", "history")
        if self.schedule and always:
            raise ValueError(
                f"has a schedule and {', '.join(always)}, which a scheduled process cannot "
                "have; remove one of the two"
            )
        if scheduled and not self.schedule:
            raise ValueError(
                f"has {', '.join(scheduled)} without a schedule; add schedule: 0 3 * * *, or "
                "remove it"
            )
        return self


class Override(Model):
    """Differences of a process in one environment."""

    replicas: Annotated[int, Field(ge=0)] | None = Field(None, description="pods")
    resources: ContainerResources | None = Field(None, description="CPU and memory")
    scale: Scale | None = Field(None, description="autoscaling")

    @model_validator(mode="after")
    def one_number(self) -> Self:
        refuse_both(self)
        return self


class ServiceOverride(Override):
    """Differences in one environment."""

    env: dict[EnvName, str] = Field(default={}, description="environment variables")
    aws: Rights | None = Field(None, description="rights in AWS, in place of the service's own")
    processes: dict[DnsLabel, Override] = Field(
        default={}, description="differences of its processes"
    )
