"""The whole program, both stacks, over the recording engine."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import settings as runtime

from settings import names, load_files
from tests.unit.conftest import CHECKOUT
from tests.unit.recording import Recording, record


def run(stack: str, checkout: Path, *, preview: bool = False) -> Recording:
    """The committed stack, with `checkout` as the checkout of the GitOps repository."""
    committed = yaml.safe_load((CHECKOUT / f"Pulumi.{stack}.yaml").read_text())["config"]
    committed["platform:gitops"]["checkout"] = str(checkout)
    owner = load_files(stack, CHECKOUT)
    images = {
        name: f"{owner.registry_host}/{names(owner).repository(namespace, name)}"
        for namespace, name, _ in owner.catalogue.entries()
    }

    def program() -> None:
        runtime.SETTINGS.root_directory = str(CHECKOUT)
        runpy.run_path(str(CHECKOUT / "__main__.py"))

    return record(
        program,
        stack=stack,
        preview=preview,
        config={key: _text(value) for key, value in committed.items()},
        stack_outputs={"organization/two-speed-gitops/dev": {"repositories": images}},
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Recording]:
    return {stack: run(stack, tmp_path_factory.mktemp(stack)) for stack in ("dev", "prod")}


def test_both_stacks_run(recordings: Mapping[str, Recording]) -> None:
    for stack, recording in recordings.items():
        print(stack, len(recording.resources))
        for r in recording.resources:
            print(stack, r.type, r.name)
