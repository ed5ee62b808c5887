"""The registry: what a repository forbids, who may pull, and what survives a destroyed stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from components import wiring
from components.registry import lifecycle
from components.registry.registry import Registry
from components.registry.registry_reference import (
    RegistryError,
    RegistryReference,
)
from settings.environment import Settings
from settings.loading import load_files
from tests.unit.conftest import Bend
from tests.unit.recording import Recording, record

SERVICES = {
    "tournaments": "community/tournaments",
    "leaderboard": "community/leaderboard",
    "tv-api": "streaming/tv-api",
    "tv-frontend": "streaming/tv-frontend",
}
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
URLS = {service: f"{HOST}/{path}" for service, path in SERVICES.items()}


def build(settings: Settings, **more: Any) -> Recording:
    return record(lambda: Registry("registry", wiring.registry(settings)).urls, **more)


def read(settings: Settings, outputs: Mapping[str, Any]) -> Recording:
    return record(
        lambda: RegistryReference("registry", wiring.registry_reference(settings)).urls,
        stack="prod",
        stack_outputs={"organization/two-speed-gitops/dev": outputs},
    )


@pytest.fixture(scope="session")
def registry(dev: Settings) -> Recording:
    return build(dev)


def test_every_service_has_a_repository_under_its_namespace(registry: Recording) -> None:
    repositories = registry.of("aws:ecr/repository:Repository")

    assert {r.inputs["name"] for r in repositories} == set(SERVICES.values())
    assert registry.result == URLS


def test_only_the_tag_of_the_fast_environment_and_tags_that_are_never_released_can_move(
    registry: Recording,
) -> None:
    for repository in registry.of("aws:ecr/repository:Repository"):
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
        assert repository.inputs["imageTagMutabilityExclusionFilters"] == [
            {"filter": "dev", "filterType": "WILDCARD"},
            {"filter": "build-*", "filterType": "WILDCARD"},
            {"filter": "sha256-*", "filterType": "WILDCARD"},
        ]


@pytest.mark.parametrize("tag", ["v20250819-f3b8541", "verified-v20250819-f3b8541"])
def test_no_tag_of_a_release_can_move(tag: str) -> None:
    assert not any(fnmatch(tag, pattern) for pattern in lifecycle.NEVER_RELEASED)


def test_images_are_scanned_when_pushed_and_encrypted(registry: Recording) -> None:
    for repository in registry.of("aws:ecr/repository:Repository"):
        assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        assert repository.inputs["encryptionConfigurations"] == [{"encryptionType": "AES256"}]


def test_a_key_of_our_own_encrypts_images_and_stays_with_them(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config["platform:registry"].update(encryption="KMS"))

    registry = build(load_files("dev", configuration))

    key = registry.one("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    assert (key.protect, key.retain_on_delete) == (True, True)
    for repository in registry.of("aws:ecr/repository:Repository"):
        (encryption,) = repository.inputs["encryptionConfigurations"]
        assert encryption["encryptionType"] == "KMS"
        assert encryption["kmsKey"].endswith("registry-key")


def test_destroying_the_owner_leaves_every_image_where_it_is(registry: Recording) -> None:
    kept = [
        resource
        for resource in registry.resources
        if resource.type.startswith(("aws:ecr/", "aws:kms/"))
    ]
    assert kept
    assert all(resource.retain_on_delete for resource in kept)
    for repository in registry.of("aws:ecr/repository:Repository"):
        assert repository.protect
        assert repository.inputs["forceDelete"] is False


def test_protection_is_lifted_by_name_and_images_are_retained_all_the_same(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:unprotected": ["registry"]}))

    for repository in build(load_files("dev", configuration)).of("aws:ecr/repository:Repository"):
        assert (repository.protect, repository.retain_on_delete) == (False, True)


def test_an_environment_in_another_account_may_pull_and_list_and_nothing_more(
    registry: Recording, configuration: Path, bend: Bend
) -> None:
    bend(
        "Pulumi.prod.yaml",
        lambda config: config.update({"aws:allowedAccountIds": ["123456789012"]}),
    )

    with_one = build(load_files("dev", configuration))

    for recording, accounts in (
        (registry, ["123456789012", "210987654321"]),
        (with_one, ["123456789012"]),  # so that an account that leaves loses its right
    ):
        policies = recording.of("aws:ecr/repositoryPolicy:RepositoryPolicy")
        assert len(policies) == len(SERVICES)
        for policy in policies:
            statements = json.loads(policy.inputs["policy"])["Statement"]
            assert [s["Principal"]["AWS"] for s in statements] == [
                f"arn:aws:iam::{account}:root" for account in accounts
            ]
            for statement in statements:
                assert set(statement["Action"]) == {
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:DescribeImageScanFindings",
                    "ecr:DescribeImages",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:ListImages",
                }


def test_a_repository_that_aws_names_otherwise_stops_the_update(dev: Settings) -> None:
    url = "999999999999.dkr.ecr.us-east-1.amazonaws.com/community/x"
    elsewhere = {"repositoryUrl": url}

    with pytest.raises(RegistryError) as refused:
        build(dev, answers={"aws:ecr/repository:Repository": elsewhere})

    ours = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    assert str(refused.value) in [
        f"AWS named the repository {url}, but the files of the GitOps repository say "
        f"{ours}/{path}; correct aws:region and aws:allowedAccountIds of the registry's owner, or "
        "set platform:registry.host"
        for path in SERVICES.values()
    ]


def test_every_repository_has_the_policy_that_outlives_a_year(registry: Recording) -> None:
    """`test_lifecycle.py` lives through the year."""
    for registered in registry.of("aws:ecr/lifecyclePolicy:LifecyclePolicy"):
        expected = lifecycle.policy("dev", untagged_days=7, build_days=90)
        assert registered.inputs["policy"] == expected


def test_a_preview_shows_every_policy_before_anything_exists(dev: Settings) -> None:
    preview = build(dev, preview=True)

    for policy in preview.of("aws:ecr/lifecyclePolicy:LifecyclePolicy"):
        assert json.loads(policy.inputs["policy"])["rules"]


def test_other_stacks_read_the_registry_and_create_nothing(prod: Settings) -> None:
    reading = read(prod, {"repositories": URLS})

    assert reading.result == URLS
    assert {resource.type for resource in reading.resources} == {"twospeed:index:RegistryReference"}


@pytest.mark.parametrize(
    ("outputs", "missing"),
    [
        ({}, "leaderboard, tournaments, tv-api, tv-frontend"),
        (
            {"repositories": {"tournaments": URLS["tournaments"]}},
            "leaderboard, tv-api, tv-frontend",
        ),
    ],
)
def test_a_registry_that_is_not_there_yet_says_which_stack_comes_first(
    prod: Settings, outputs: Mapping[str, Any], missing: str
) -> None:
    with pytest.raises(RegistryError) as refused:
        read(prod, outputs)

    assert str(refused.value) == (
        f"the stack dev owns the registry and has no repository for {missing}; run `pulumi up "
        "--stack dev` first"
    )
