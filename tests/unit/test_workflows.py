"""The workflows of this repository run pinned actions with few permissions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.unit.conftest import CHECKOUT

WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").iterdir())


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
    """Each workflow."""
    path: Path = request.param
    return path


def test_an_action_is_pinned_to_a_commit_and_says_its_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    pinned = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in used if not pinned.fullmatch(line)] == []


def test_a_workflow_only_reads_the_repository(workflow: Path) -> None:
    described = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert described["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in described["jobs"].values())


def test_a_job_ends(workflow: Path) -> None:
    described = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert all(job["timeout-minutes"] <= 120 for job in described["jobs"].values())
