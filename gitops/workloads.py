"""The workloads of a service, as the templates see them: one for each of its processes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from settings.catalogue import Service
from settings.health import Check, Probe
from settings.placement import placement
from settings.speed import Speed
from settings.workload import FurtherProcess, Process

Context = dict[str, Any]

_TIMINGS: Mapping[Probe, Mapping[str, int]] = MappingProxyType(
    {
        "startup": {"periodSeconds": 2, "failureThreshold": 30},
        "readiness": {"periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 3},
        "liveness": {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
    }
)
_OF_A_COMMAND = {"timeoutSeconds": 5}
"""Starting a program takes longer than an answer."""
_API = {"CronJob": "batch/v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1"}
_REVISION = {
    "CronJob": None,
    "Deployment": "pod-template-hash",
    "StatefulSet": "controller-revision-hash",
}
"""The label by which pods of one version are told from those of another."""


def described(name: str, service: Service) -> Iterator[Context]:
    """Each workload of the service `name`, as it is in every environment."""
    for process, what in service.all_processes.items():
        scheduled = isinstance(what, FurtherProcess) and what.schedule is not None
        storage = {} if process else service.storage
        kind = "CronJob" if scheduled else "StatefulSet" if storage else "Deployment"
        yield {
            "process": process,
            "name": f"{name}-{process}" if process else name,
            "kind": kind,
            "api": _API[kind],
            "file": f"processes/{process}.yaml" if process else f"{kind.lower()}.yaml",
            "go": f'(index .Values.processes "{process}")' if process else ".Values",
            "value_path": f"processes.{process}." if process else "",
            "command": what.command,
            "args": what.args,
            "port": what.port,
            "ports": dict(sorted(what.ports.items())),
            "serves": bool(what.port or what.ports),
            "plain_health": _plain(what),
            "probes": [_probe(when, check) for when, check in what.checks().items()],
            "may_scale": bool(what.scale or _scales_somewhere(service, process)),
            "spread": _REVISION[kind],
            "storage": dict(sorted(storage.items())),
            "job": _job(what) if isinstance(what, FurtherProcess) and scheduled else None,
        }


def placed(service: Service, workload: Context, environment: str, speed: Speed) -> Context:
    """A described workload, with how much of it there is in an environment."""
    how = placement(service, workload["process"], environment, speed)
    return workload | {"replicas": how.replicas, "scale": how.scale, "resources": how.resources}


def _scales_somewhere(service: Service, process: str) -> bool:
    overrides = service.overrides.values()
    found = (own.processes.get(process) if process else own for own in overrides)
    return any(own and own.scale for own in found)


def _plain(what: Process) -> str | None:
    """The path that answers all three questions on the process's own port; None if it is not so."""
    checks = [*what.checks().values()]
    if len(checks) != len(_TIMINGS):
        return None
    first, *others = checks
    alike = first.port is None and all(check == first for check in others)
    return first.http if alike else None


def _probe(when: Probe, check: Check) -> Context:
    timings = _TIMINGS[when]
    if check.command:
        timings = {**_OF_A_COMMAND, **timings}
    return {"when": when, "handler": _handler(check), "timings": timings}


def _handler(check: Check) -> Context:
    """A check, as Kubernetes writes it."""
    if check.http:
        return {"httpGet": {"path": check.http, "port": check.port or "http"}}
    if check.tcp:
        return {"tcpSocket": {"port": check.tcp}}
    if check.grpc:
        asked = {"service": check.grpc_service} if check.grpc_service else {}
        return {"grpc": {"port": check.grpc, **asked}}
    return {"exec": {"command": check.command}}


def _job(what: FurtherProcess) -> Context:
    history = what.history
    return {
        "schedule": what.schedule,
        "time_zone": what.time_zone or "UTC",
        "concurrency": (what.concurrency or "forbid").capitalize(),
        "succeeded": history.succeeded if history else 3,
        "failed": history.failed if history else 1,
    }
