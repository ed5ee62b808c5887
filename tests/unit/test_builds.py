"""What pipelines are told of a service: its build, its delivery, its hotfixes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops.context import environment, shared
from gitops.release_scripts import platform
from settings.loading import load_files
from tests.unit.conftest import Bend, change_service
from tests.unit.existing import existing_network, use_existing_cluster


def use_existing(config: dict[str, Any]) -> None:
    use_existing_cluster(config, existing_network("vpc-0a1b2c3d4e5f60718"))


def described(configuration: Path, name: str) -> dict[str, Any]:
    services = shared(load_files("dev", configuration))["services"]
    (found,) = (service for service in services if service["name"] == name)
    return dict(found)


def test_circleci_builds_a_folder_for_what_is_below_it_and_its_configuration(
    configuration: Path, bend: Bend
) -> None:
    change_service(bend, "community", "tournaments", build={"path": "app", "watch": ["libs"]})
    build = described(configuration, "tournaments")["build"]
    assert build["watched"] == "app libs .circleci/config.yml"
    assert build["paths"] == ["app/**", "libs", "libs/**", ".circleci/config.yml"]


def test_github_builds_each_service_of_a_repository_by_a_workflow_of_its_own(
    configuration: Path, bend: Bend
) -> None:
    for name in ("tv-api", "tv-frontend"):
        change_service(bend, "streaming", name, source="acme/tv", build={"path": name})
    described_one = described(configuration, "tv-api")
    assert described_one["workflow"] == "release-tv-api.yml"
    assert described_one["build"]["watched"] == "tv-api .github/workflows/release-tv-api.yml"
    assert described_one["build"]["paths"] == [
        "tv-api/**",
        ".github/workflows/release-tv-api.yml",
    ]


@pytest.mark.parametrize(
    ("build", "buildx", "several"),
    [
        ({}, False, False),
        ({"cache": True}, True, False),
        ({"platforms": ["linux/amd64"]}, False, False),
        ({"platforms": ["linux/amd64", "linux/arm64"]}, True, True),
    ],
)
def test_buildx_is_used_for_a_cache_and_for_several_processors(
    configuration: Path, bend: Bend, build: dict[str, Any], buildx: bool, several: bool
) -> None:
    change_service(bend, "streaming", "tv-api", build=build)
    found = described(configuration, "tv-api")["build"]
    assert (found["buildx"], found["several"]) == (buildx, several)


def test_where_no_file_says_the_processor_it_is_an_intel_one(
    configuration: Path, bend: Bend
) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", use_existing)
    found = described(configuration, "tv-api")["build"]
    assert found["platforms"] == ["linux/amd64"]
    assert found["runner"] == {"github_actions": "ubuntu-24.04", "circleci": "medium"}


def test_what_does_not_live_in_the_fast_environment_is_delivered_nowhere(
    configuration: Path, bend: Bend
) -> None:
    assert described(configuration, "tv-api")["delivery"] == "commit"
    change_service(bend, "streaming", "tv-api", environments=["prod"])
    assert described(configuration, "tv-api")["delivery"] == "none"


def test_the_scripts_know_what_is_verified_and_for_which_kubernetes_it_is_rendered(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", use_existing)
    change_service(bend, "streaming", "tv-api", verify={"command": "./verify.sh"})
    known = json.loads(platform(shared(load_files("prod", configuration))))
    assert {name: one["verify"] for name, one in known["services"].items()} == {
        "community/leaderboard": False,
        "community/tournaments": False,
        "streaming/tv-api": True,
        "streaming/tv-frontend": False,
    }
    assert {name: one.get("kubernetes") for name, one in known["environments"].items()} == {
        "dev": None,
        "prod": "1.35",
    }
    assert "kubernetes" not in known["environments"]["dev"], "its version is not known"


def test_hotfixes_have_branches_of_their_own_where_they_are_allowed(
    configuration: Path, bend: Bend
) -> None:
    assert described(configuration, "tv-api")["hotfixes"] == ""
    change_service(bend, "streaming", "tv-api", hotfix=True)
    assert described(configuration, "tv-api")["hotfixes"] == "hotfix/"


@pytest.mark.parametrize(
    ("stack", "name", "runs"),
    [
        ("dev", "leaderboard", ("dev", "")),
        ("dev", "tv-api", ("", "")),
        ("prod", "leaderboard", ("", "")),
        ("prod", "tv-api", ("", "")),
    ],
)
def test_the_program_itself_decides_only_what_follows_a_moving_tag(
    configuration: Path, stack: str, name: str, runs: tuple[str, str]
) -> None:
    services = environment(load_files(stack, configuration))["services"]
    assert [service["runs"] for service in services if service["name"] == name] == [runs]
