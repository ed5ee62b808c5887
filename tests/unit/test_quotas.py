"""What the services of a namespace ask for together, against its quota."""

from __future__ import annotations

from typing import Any

import pytest

from settings.catalogue import Catalogue
from settings.environment import Settings
from settings.rules import quotas

BUILT = {"owner": "shop", "source": "acme/web", "ci": "github-actions", "delivery": "commit"}
RESOURCES = {"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"memory": "200Mi"}}
WEB: dict[str, Any] = {
    **BUILT,
    "port": 8080,
    "resources": RESOURCES,
    "scale": {"min": 5, "max": 5, "cpu": 70},
    "processes": {
        "nightly": {"command": ["clean"], "schedule": "0 3 * * *", "resources": RESOURCES}
    },
}
DATABASE: dict[str, Any] = {
    **BUILT,
    "source": "acme/database",
    "environments": ["dev"],
    "resources": RESOURCES,
    "health": {"tcp": 5432},
    "storage": {
        "data": {"path": "/data", "size": "1Gi"},
        "log": {"path": "/log", "size": "2Gi"},
    },
    "overrides": {"dev": {"replicas": 2}},
    "processes": {"report": {"command": ["report"], "resources": RESOURCES}},
}
ELSEWHERE = {**BUILT, "source": "acme/other", "port": 8080, "environments": ["prod"]}
NEEDED = {"cpu": "1.3", "memory": "1300Mi", "memoryLimit": "2600Mi", "storage": "6Gi", "pods": 13}


def found(dev: Settings, quota: dict[str, object]) -> list[str]:
    """What is said of the namespace on dev, behind its place."""
    catalogue = Catalogue.model_validate(
        {
            "teams": {"shop": {"group": "acme:shop"}},
            "releasers": "acme:releasers",
            "namespaces": {
                "shop": {
                    "services": {"web": WEB, "database": DATABASE, "other": ELSEWHERE},
                    "quota": {"dev": quota},
                }
            },
        }
    )
    problems = quotas.of_namespaces([dev.environment], catalogue)
    return [str(problem).removeprefix("services.yaml: namespaces.shop: ") for problem in problems]


def test_a_namespace_that_has_just_enough_is_accepted(dev: Settings) -> None:
    # web 5 pods and 2 more in a roll-out, nightly 1 and 1, database 2, report 1 and 1
    assert found(dev, NEEDED) == []


@pytest.mark.parametrize(
    ("key", "less", "words"),
    [
        ("cpu", "1299m", "cpu on dev than its quota, 1299m, has: {} (given: 1300m)"),
        ("memory", "1299Mi", "memory on dev than its quota, 1299Mi, has: {} (given: 1300Mi)"),
        (
            "memoryLimit",
            "2599Mi",
            "memory limit on dev than its quota, 2599Mi, has: {} (given: 2600Mi)",
        ),
        ("storage", "5.5Gi", "storage on dev than its quota, 5.5Gi, has: {} (given: 6Gi)"),
        ("pods", 12, "pods on dev than its quota, 12, has: {} (given: 13)"),
    ],
)
def test_a_namespace_that_has_less_is_told_what_it_needs(
    dev: Settings, key: str, less: object, words: str
) -> None:
    said = words.format("all its services at their most, while they are rolled")
    assert found(dev, {**NEEDED, key: less}) == [
        f"asks for more {said}; raise quota.dev, or give its services less"
    ]
