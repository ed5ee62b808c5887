"""What is rendered of a service and of each of its processes."""

from __future__ import annotations

from typing import Any

import pytest

from gitops.workloads import described
from settings.catalogue import BuiltService

SERVICE = BuiltService.model_validate(
    {
        "owner": "shop",
        "source": "acme/database",
        "ci": "github-actions",
        "delivery": "commit",
        "health": {"tcp": 5432},
        "storage": {"data": {"path": "/data", "size": "1Gi"}},
        "processes": {
            "nightly": {"command": ["clean"], "schedule": "0 3 * * *"},
            "report": {"command": ["report"]},
            "weekly": {
                "command": ["sum"],
                "schedule": "0 3 * * 0",
                "history": {"succeeded": 5, "failed": 2},
            },
        },
        "overrides": {
            "prod": {"processes": {"report": {"scale": {"max": 3, "cpu": 70}}}},
        },
    }
)
KEYS = ("name", "kind", "file", "go", "value_path", "may_scale", "plain_health")


def test_a_process_of_a_service_with_volumes_has_none() -> None:
    workloads = list(described("database", SERVICE))
    assert [tuple(workload[key] for key in KEYS) for workload in workloads] == [
        ("database", "StatefulSet", "statefulset.yaml", ".Values", "", False, None),
        (
            *("database-nightly", "CronJob", "processes/nightly.yaml"),
            *('(index .Values.processes "nightly")', "processes.nightly.", False, None),
        ),
        (
            *("database-report", "Deployment", "processes/report.yaml"),
            *('(index .Values.processes "report")', "processes.report.", True, None),
        ),
        (
            *("database-weekly", "CronJob", "processes/weekly.yaml"),
            *('(index .Values.processes "weekly")', "processes.weekly.", False, None),
        ),
    ]
    assert [[*workload["storage"]] for workload in workloads] == [["data"], [], [], []]


def test_a_job_has_what_it_says_and_else_the_usual() -> None:
    nightly, weekly = (w["job"] for w in described("database", SERVICE) if w["job"])
    assert nightly == {
        "schedule": "0 3 * * *",
        "time_zone": "UTC",
        "concurrency": "Forbid",
        "succeeded": 3,
        "failed": 1,
    }
    assert (weekly["succeeded"], weekly["failed"]) == (5, 2)


def service(**keys: Any) -> dict[str, Any]:
    """The workload of a service that answers HTTP."""
    given = {key: SERVICE.model_dump()[key] for key in ("owner", "source", "ci", "delivery")}
    (workload,) = described("web", BuiltService.model_validate({**given, "port": 8080, **keys}))
    return dict(workload)


@pytest.mark.parametrize(
    ("health", "path"),
    [
        ("/up", "/up"),
        ({"http": "/up", "port": 9000}, None),
        ({"readiness": "/ready", "liveness": "/live"}, None),
        ({"readiness": "/up", "liveness": "/up"}, "/up"),
        ({"readiness": "/up"}, None),
    ],
)
def test_one_path_on_the_own_port_is_plain(health: object, path: str | None) -> None:
    assert service(health=health)["plain_health"] == path


def test_grpc_is_asked_for_its_service() -> None:
    for probe in service(health={"grpc": 9000, "grpcService": "shop.Cart"})["probes"]:
        assert probe["handler"] == {"grpc": {"port": 9000, "service": "shop.Cart"}}


def test_a_service_may_scale_in_one_environment() -> None:
    assert service(overrides={"prod": {"scale": {"max": 3, "cpu": 70}}})["may_scale"] is True
    assert service()["may_scale"] is False
