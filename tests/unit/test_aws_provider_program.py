"""What the program declares in AWS, put before botocore's models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.aws.api import Aws
from lab.aws.journal import Journal
from lab.aws.kept import Kept
from lab.aws.kinds import KINDS
from lab.aws.resources import Resources
from lab.aws.table import Values
from lab.aws.wire import UNKNOWN, decoded, encoded
from lab.site import Site
from tests.unit.aws_in_memory import ACCOUNT, REGION
from tests.unit.whole_program import record_program

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_aws_would_accept_every_resource_of_the_program(stack: str, tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    aws = Aws(region=REGION, account=ACCOUNT, site=site, kept=Kept(site.kept))
    resources = Resources(aws=aws, journal=Journal(tmp_path))
    program = record_program(stack, CHECKOUT, CHECKOUT / "__main__.py", preview=True)
    declared = [resource for resource in program.resources if resource.type in KINDS]
    assert declared
    refused = {}
    for resource in declared:
        kind, inputs = KINDS[resource.type], as_sent(resource.inputs)
        _, failures = resources.check(kind, resource.urn, {}, inputs)
        if failures:
            refused[resource.name] = [f"{one.property}: {one.reason}" for one in failures]
    assert refused == {}


def as_sent(inputs: Mapping[str, Any]) -> Values:
    """Inputs as they reach a provider: whole numbers whole, and unknown what is not known yet."""
    return decoded(encoded(json.loads(json.dumps(inputs, default=lambda _: UNKNOWN))))
