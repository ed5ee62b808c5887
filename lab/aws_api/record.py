"""The calls that the lab's AWS got: one JSON object a line, appended.

    {"at": "2026-01-01T00:00:00+00:00", "caller": "arn:aws:sts::1:assumed-role/platform/lab",
     "stack": "dev", "service": "eks", "operation": "DescribeCluster",
     "actions": ["eks:DescribeCluster"], "resources": {"name": "acme-dev"},
     "answered": "stand-in", "status": 200}

`answered` is `moto`, `stand-in`, `refused` (by the models or the caller's policies), or `nobody`:
neither moto nor a stand-in has the operation. `caller` is null for unknown keys, `stack` for calls
that no provider of a stack made. `actions` are those that a policy has to allow for the call.
Parameters are recorded only if they name a resource.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.aws_api.callers import caller_arn
from lab.aws_api.calls import Call
from lab.aws_api.naming import named
from lab.aws_api.permissions import needed

NOBODY = "nobody"
STACK = "stack/"
"""What the lab's Pulumi puts before the stack's name into its provider's user agent."""
_STACK = re.compile(rf"(?<!\S){STACK}(\S+)")


class Record:
    """The file of calls."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def call(self, call: Call, answered: str, status: int) -> None:
        """Appends a call of AWS's API."""
        self._append(
            caller=caller_arn(call.access_key),
            stack=_stack(call.user_agent),
            service=call.service,
            operation=call.operation.name,
            actions=[action for action, _ in needed(call, "")],
            resources=named(call.parameters),
            answered=answered,
            status=status,
        )

    def unknown(self, service: str, method: str, path: str, status: int) -> None:
        """Appends a request of which AWS's models know no operation."""
        self._append(
            caller=None,
            stack=None,
            service=service,
            operation=f"{method} {path}",
            actions=[],
            resources={},
            answered=NOBODY,
            status=status,
        )

    def _append(self, **entry: Any) -> None:
        line = json.dumps({"at": datetime.now(UTC).isoformat(), **entry}, sort_keys=True)
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _stack(user_agent: str) -> str | None:
    found = _STACK.search(user_agent)
    return found[1] if found else None


def recorded(file: Path) -> list[dict[str, Any]]:
    """Every recorded call, in order."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def nobody_answered(calls: Iterable[dict[str, Any]]) -> list[str]:
    """`service:operation` of each call without an answer, sorted."""
    return sorted(
        {f"{one['service']}:{one['operation']}" for one in calls if one["answered"] == NOBODY}
    )
