"""The lab's table, its stack files, and when an Application is where it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.overrides import merged, overrides
from lab.overview import Row, render, tag_of
from lab.site import Site
from lab.up import never_released, unsettled
from settings.environment import Settings
from settings.sign_on import Sso
from tests.committed import committed

SITE = Site(home=Path("/lab"), port_base=21000)


def test_the_table_has_its_columns_in_line() -> None:
    table = render([Row("a/b", "dev", "v1", "v1", "Synced", "Healthy")])
    assert table == (
        "SERVICE  ENVIRONMENT  RUNS  IN GIT  SYNC    HEALTH\n"
        "a/b      dev          v1    v1      Synced  Healthy"
    )


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("127.0.0.1:5000/a/b:dev", "dev"),
        ("127.0.0.1:5000/a/b:v1@sha256:00", "v1"),
        ("127.0.0.1:5000/a/b", "latest"),
    ],
)
def test_a_port_is_not_taken_for_a_tag(image: str, tag: str) -> None:
    assert tag_of(image) == tag


def test_overrides_change_addresses_and_nothing_else() -> None:
    for stack in ("dev", "prod"):
        config = committed(stack)
        result = merged(config, overrides(SITE))
        changed = {
            path for path, value in leaves(result).items() if leaves(config).get(path) != value
        }
        assert not leaves(config).keys() - leaves(result).keys()
        for path in changed:
            value = str(leaves(result)[path])
            assert "127.0.0.1" in value or path == "platform:gitops.checkout", path


def test_overrides_add_no_keel_where_the_stack_has_none() -> None:
    assert "platform:keel" not in merged(committed("prod"), overrides(SITE))


def test_a_stack_whose_people_sign_in_by_github_signs_in_at_the_labs_provider() -> None:
    argocd = {"sso": {"github": {"organization": "acme"}, "clientId": "argocd"}}
    result = merged({"platform:argocd": argocd}, overrides(SITE))
    sso = Sso.model_validate(result["platform:argocd"]["sso"])
    assert (sso.issuer, sso.github) == (SITE.url("identity-provider"), None)


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value that is neither a mapping nor a list, by its path."""
    if isinstance(value, dict):
        parts = [leaves(inner, f"{path}.{key}" if path else key) for key, inner in value.items()]
    elif isinstance(value, list):
        parts = [leaves(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
    else:
        return {path: value}
    return {key: inner for part in parts for key, inner in part.items()}


def application(sync: str, health: str, *, approved: bool = False) -> dict[str, Any]:
    status: dict[str, Any] = {"sync": {"status": sync}, "health": {"status": health}}
    return {"status": {**status, **({"operationState": {}} if approved else {})}}


@pytest.mark.parametrize(
    ("sync", "health", "approved", "automated", "settled"),
    [
        ("Synced", "Healthy", False, True, True),
        ("Synced", "Progressing", False, True, False),
        ("OutOfSync", "Healthy", False, True, False),
        ("OutOfSync", "Missing", False, False, True),
        ("Synced", "Healthy", True, False, True),
        ("Synced", "Healthy", False, False, False),
        ("Unknown", "Healthy", False, False, False),
    ],
)
def test_a_safe_environment_is_settled_once_something_waits_or_was_approved(
    sync: str, health: str, approved: bool, automated: bool, settled: bool
) -> None:
    lacking = unsettled(application(sync, health, approved=approved), automated=automated)
    assert (lacking == "") is settled


def test_what_was_never_released_is_told_from_the_version_files(
    tmp_path: Path, dev: Settings, prod: Settings
) -> None:
    from gitops.checkout import apply, plan  # noqa: PLC0415 - only here
    from gitops.tree import scaffold  # noqa: PLC0415

    for settings in (dev, prod):
        tree = scaffold(settings)
        apply(tmp_path, plan(tmp_path, tree))
    assert never_released(tmp_path, dev) == ["tv-api", "tv-frontend"]
    assert never_released(tmp_path, prod) == [
        "leaderboard",
        "tournaments",
        "tv-api",
        "tv-frontend",
    ]
