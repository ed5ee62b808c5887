"""What is rendered of a service and of each of its processes."""

from __future__ import annotations

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
    ]
    assert [[*workload["storage"]] for workload in workloads] == [["data"], [], []]


def test_a_job_that_says_nothing_has_the_usual() -> None:
    (job,) = (workload["job"] for workload in described("database", SERVICE) if workload["job"])
    assert job == {
        "schedule": "0 3 * * *",
        "time_zone": "UTC",
        "concurrency": "Forbid",
        "succeeded": 3,
        "failed": 1,
    }
