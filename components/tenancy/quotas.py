"""How much a namespace may use. Pure."""

from __future__ import annotations

from typing import Any

from settings.speed import Quota, Resources

NO_OTHER_WAY_IN = {"services.loadbalancers": "0", "services.nodeports": "0"}
"""Of a namespace whose Services are all of its teams."""


def hard(quota: Quota) -> dict[str, str]:
    """The `hard` of a ResourceQuota."""
    return {
        "requests.cpu": quota.cpu,
        "requests.memory": quota.memory,
        "limits.memory": quota.memory_limit,
        "requests.storage": quota.storage,
        "pods": str(quota.pods),
    }


def limits(default: Resources) -> list[Any]:
    """The `limits` of a LimitRange: for containers that set none, without which the quota refuses
    their pods."""
    limit = {"memory": default.memory_limit}
    if default.cpu_limit:
        limit["cpu"] = default.cpu_limit
    return [
        {
            "type": "Container",
            "default": limit,
            "default_request": {"cpu": default.cpu_request, "memory": default.memory_request},
        }
    ]
