"""What runs of a process in one environment: its speed's defaults, and what is laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from settings.catalogue import MAIN, Service
from settings.speed import Resources, Speed
from settings.workload import Amounts, ContainerResources, FurtherProcess, Override, Scale


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How much of a process there is in an environment."""

    replicas: int | None
    """Pods; None where the number follows from what they use, or from a schedule."""
    scale: Scale | None
    """With `min` set; None where the number is fixed."""
    resources: Resources


def placement(service: Service, process: str, environment: str, speed: Speed) -> Placement:
    """The placement of the process of that name; the service itself has the name MAIN."""
    described = service.all_processes[process]
    override = _override(service, process, environment)
    scheduled = isinstance(described, FurtherProcess) and described.schedule is not None
    # Pods with a volume each are no replicas of one another, unless somebody says so.
    usual = 1 if process == MAIN and service.storage else speed.replicas
    fixed = _first(override.replicas, described.replicas, usual)
    scale = override.scale or (described.scale if override.replicas is None else None)
    return Placement(
        replicas=None if scale or scheduled else fixed,
        scale=scale and scale.model_copy(update={"min": scale.min or min(usual, scale.max)}),
        resources=_laid_over(speed.resources, described.resources, override.resources),
    )


def variables(service: Service, environment: str) -> Mapping[str, str]:
    """The environment variables that differ in `environment`, sorted."""
    override = service.overrides.get(environment)
    return dict(sorted(override.env.items())) if override else {}


def _override(service: Service, process: str, environment: str) -> Override:
    own = service.overrides.get(environment)
    found = own.processes.get(process) if own and process != MAIN else own
    return found or Override.model_validate({})


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _laid_over(default: Resources, *given: ContainerResources | None) -> Resources:
    """`default`, with what is given laid over it, the last above all."""
    for one in given:
        requests, limits = (one.requests, one.limits) if one else (None, None)
        default = replace(
            default,
            **_named("request", requests),
            **_named("limit", limits),
        )
    return default


def _named(what: str, amounts: Amounts | None) -> dict[str, str]:
    """The fields of Resources that `amounts` sets."""
    both = {"cpu": amounts.cpu, "memory": amounts.memory} if amounts else {}
    return {f"{name}_{what}": value for name, value in both.items() if value}
