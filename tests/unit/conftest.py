"""Fixtures of the unit tests: the committed configuration, and ways to bend it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import hypothesis
import pytest
import yaml

from settings import Settings, load_files

CHECKOUT = Path(__file__).resolve().parents[2]

# The same examples every time, and no verdict that depends on how busy the machine is.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


def shared(fixture_name: str, config: pytest.Config) -> Literal["session", "function"]:
    """The scope of what several tests use: made once, or for each test where mutmut watches.

    mutmut takes the test that is running for the one that reaches a function. Only the first of
    the tests that share a fixture would be tried on a mutant.
    """
    return "function" if "MUTANT_UNDER_TEST" in os.environ else "session"


@pytest.fixture(scope=shared)
def dev() -> Settings:
    """The committed fast environment."""
    return load_files("dev", CHECKOUT)


@pytest.fixture(scope=shared)
def prod() -> Settings:
    """The committed safe environment."""
    return load_files("prod", CHECKOUT)


Change = Callable[[dict[str, Any]], object]
Bend = Callable[[str, Change], None]


def hold(*secrets: str) -> Change:
    """A change of a stack file that sets `secrets`, as Pulumi encrypts them."""
    return lambda config: config.update(
        {f"platform:{name}": {"secure": "v1:bm90aGluZw=="} for name in secrets}
    )


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A folder with a copy of every committed configuration file."""
    for file in ("services.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


@pytest.fixture
def bend(configuration: Path) -> Bend:
    """`bend("services.yaml", change)` applies `change` to the parsed file and writes it back."""

    def apply(file: str, change: Change) -> None:
        path = configuration / file
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        change(content["config"] if file.startswith("Pulumi.") else content)
        path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), encoding="utf-8")

    return apply
