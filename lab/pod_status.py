"""The status of a pod, as a kubelet reports it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from lab.pod import Object

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]
_WAITS = {"waiting": {"reason": "PodInitializing"}}


@dataclass
class ContainerState:
    """One container: what it runs, and how far it is. `serves`: it runs on without a process."""

    spec: Object
    image_id: str = ""
    state: Mapping[str, Any] = field(
        default_factory=lambda: {"waiting": {"reason": "PodInitializing"}}
    )
    restarts: int = 0
    serves: bool = False

    def wait(self, reason: str, message: str = "") -> None:
        self.state = {"waiting": {"reason": reason, "message": message}}

    def run(self) -> None:
        self.state = {"running": {"startedAt": now()}}

    def serve(self) -> None:
        """Run without an end and without a process, as KWOK's containers do."""
        self.serves = True
        self.run()

    def end(self, code: int) -> None:
        self.state = {
            "terminated": {
                "exitCode": code,
                "reason": "Error" if code else "Completed",
                "startedAt": self.state.get("running", {}).get("startedAt", now()),
                "finishedAt": now(),
            }
        }

    @property
    def runs(self) -> bool:
        return "running" in self.state

    @property
    def over(self) -> bool:
        """Whether the next container may start."""
        return self.exit_code == 0 or (self.serves and self.runs)

    @property
    def exit_code(self) -> int | None:
        """None until it has ended."""
        code: int | None = self.state.get("terminated", {}).get("exitCode")
        return code

    def reported(self, *, init: bool) -> dict[str, Any]:
        return {
            "name": self.spec["name"],
            "image": self.spec["image"],
            "imageID": self.image_id,
            "ready": self.over if init else self.runs,
            "started": self.runs,
            "restartCount": self.restarts,
            "state": dict(self.state),
        }


def status(
    pod: Object,
    phase: Phase,
    init: Sequence[ContainerState],
    containers: Sequence[ContainerState],
) -> dict[str, Any]:
    """The pod's new status; conditions that do not change keep their time."""
    before = pod.get("status", {})
    ready = phase == "Running" and all(one.runs for one in containers)
    initialized = all(one.over for one in init)
    wanted = {"Initialized": initialized, "ContainersReady": ready, "Ready": ready}
    return {
        **before,
        "phase": phase,
        "conditions": _conditions(before.get("conditions", ()), wanted),
        "initContainerStatuses": [one.reported(init=True) for one in init],
        "containerStatuses": [one.reported(init=False) for one in containers],
        "hostIP": "127.0.0.1",
        "podIP": address(pod["metadata"]["uid"]),
        "podIPs": [{"ip": address(pod["metadata"]["uid"])}],
        "startTime": before.get("startTime") or now(),
    }


def address(uid: str) -> str:
    """An address of the pod's own, outside the range from which KWOK takes them."""
    third, fourth = hashlib.sha256(uid.encode()).digest()[:2]
    return f"10.245.{third}.{fourth}"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _conditions(before: Sequence[Object], wanted: Mapping[str, bool]) -> list[Object]:
    old = {condition["type"]: condition for condition in before}
    for kind, holds in wanted.items():
        text = str(holds)
        if old.get(kind, {}).get("status") != text:
            old[kind] = {"type": kind, "status": text, "lastTransitionTime": now()}
    return list(old.values())
