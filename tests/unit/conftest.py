"""Fixtures of the unit tests: the committed configuration, and ways to bend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml

from settings.environment import Settings
from settings.files import ROOT
from settings.loading import load_files

CHECKOUT = ROOT

# The same examples every time, and no verdict that depends on how busy the machine is.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session")
def dev() -> Settings:
    """The committed fast environment."""
    return load_files("dev", CHECKOUT)


@pytest.fixture(scope="session")
def prod() -> Settings:
    """The committed safe environment."""
    return load_files("prod", CHECKOUT)


Change = Callable[[dict[str, Any]], object]
Bend = Callable[[str, Change], None]


def change_service(bend: Bend, namespace: str, name: str, **keys: Any) -> None:
    """Set keys of a service of the catalogue."""
    bend("services.yaml", lambda c: c["namespaces"][namespace]["services"][name].update(keys))


def hold(*secrets: str) -> Change:
    """A change of a stack file that sets `secrets`, as Pulumi encrypts them."""
    return lambda config: config.update(
        {f"platform:{name}": {"secure": "v1:bm90aGluZw=="} for name in secrets}
    )


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A folder with a copy of every committed configuration file."""
    return copied(tmp_path)


def copied(folder: Path) -> Path:
    """`folder`, with a copy of every committed configuration file."""
    for file in ("services.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        shutil.copy(CHECKOUT / file, folder / file)
    return folder


@pytest.fixture
def bend(configuration: Path) -> Bend:
    """`bend("services.yaml", change)` applies `change` to the parsed file and writes it back."""

    def apply(file: str, change: Change) -> None:
        path = configuration / file
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        change(content["config"] if file.startswith("Pulumi.") else content)
        path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), encoding="utf-8")

    return apply
