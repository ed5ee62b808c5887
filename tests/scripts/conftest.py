"""Fixtures of the tests of the release scripts: scratch repositories to release in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.release_repository import ReleaseRepository, make_scaffold


@pytest.fixture(scope="session")
def scaffold_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with the generated tree, to copy from."""
    return make_scaffold(tmp_path_factory.mktemp("scaffold"))


@pytest.fixture
def releases(tmp_path: Path, scaffold_repository: Path) -> ReleaseRepository:
    """A GitOps repository of one's own, nothing released yet."""
    return ReleaseRepository(tmp_path, scaffold_repository)
