"""The whole program under the recording engine, as `pulumi up` would run it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import yaml

from settings import load_files
from tests.unit.recording import PROJECT, Recording, record


def record_program(stack: str, root: Path, program: Path, *, preview: bool = False) -> Recording:
    """Run the entry point `program` for `stack` with the configuration files in `root`."""
    raw = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    settings = load_files(stack, root)
    urls = {
        service: f"{settings.registry_host}/{namespace}/{service}"
        for namespace, service, _ in settings.catalogue.entries()
    }
    owner = settings.registry_owner.name
    return record(
        lambda: runpy.run_path(str(program)) and None,
        stack=stack,
        preview=preview,
        config={
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in raw.items()
        },
        stack_outputs={f"organization/{PROJECT}/{owner}": {"repositories": urls}},
        root=root,
    )
