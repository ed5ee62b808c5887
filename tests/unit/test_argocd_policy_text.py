"""The policy of Argo CD is CSV, whatever the groups of the sign-on are called."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from components.argocd.rbac import policy
from settings.loading import load_files
from tests.unit.conftest import Bend


@pytest.mark.parametrize(
    ("group", "line"),
    [
        ("acme:releasers", "g, acme:releasers, role:releaser"),
        ("X-Men", "g, X-Men, role:releaser"),
        ("Release Managers", "g, Release Managers, role:releaser"),
        (
            "CN=Releasers,OU=Groups,DC=acme",
            'g, "CN=Releasers,OU=Groups,DC=acme", role:releaser',
        ),
        ('The "A" team', 'g, "The ""A"" team", role:releaser'),
        ('"quoted"', 'g, """quoted""", role:releaser'),
    ],
)
def test_a_group_is_one_value_of_its_line(
    configuration: Path, bend: Bend, group: str, line: str
) -> None:
    bend("services.yaml", lambda c: c.update(releasers=group))
    last = policy(load_files("prod", configuration).catalogue, owners_sync=False).splitlines()[-1]
    assert last == line
    assert next(csv.reader([last], skipinitialspace=True, strict=True)) == [
        "g",
        group,
        "role:releaser",
    ]
