"""Fixtures of the unit tests: the committed configuration, and ways to bend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings, load_files
from tests.unit.release_repository import ReleaseRepository, make_scaffold

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def dev() -> Settings:
    """The committed fast environment."""
    return load_files("dev", CHECKOUT)


@pytest.fixture(scope="session")
def prod() -> Settings:
    """The committed safe environment."""
    return load_files("prod", CHECKOUT)


Bend = Callable[[str, Callable[[dict[str, Any]], object]], None]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A folder with a copy of every committed configuration file."""
    for file in ("services.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


@pytest.fixture
def bend(configuration: Path) -> Bend:
    """`bend("services.yaml", change)` applies `change` to the parsed file and writes it back."""

    def apply(file: str, change: Callable[[dict[str, Any]], object]) -> None:
        path = configuration / file
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(content["config"] if file.startswith("Pulumi.") else content)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    return apply


@pytest.fixture(scope="session")
def scaffold_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with the generated tree, to copy from."""
    return make_scaffold(tmp_path_factory.mktemp("scaffold"))


@pytest.fixture
def releases(tmp_path: Path, scaffold_repository: Path) -> ReleaseRepository:
    """A GitOps repository of one's own, nothing released yet."""
    return ReleaseRepository(tmp_path, scaffold_repository)
