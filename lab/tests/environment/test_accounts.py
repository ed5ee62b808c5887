"""Whose credentials list the versions of a service: those of any environment's account."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.aws_account import MOTO_ACCOUNT, Account
from lab.tests.environment.conftest import Lab

LIST = ("promote-to-prod.sh", "--service", "tournaments")
"""Keel delivers it, so the registry alone knows its versions."""
STRANGER = "arn:aws:iam::555555555555:role/releaser"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_versions_are_listed_with_the_credentials_of_each_environment(
    lab: Lab, tmp_path: Path, environment: str
) -> None:
    listed = lab.script(lab.clone(tmp_path / "gitops"), *LIST, credentials=environment)
    assert listed.returncode == 0, listed.stderr
    assert "community/tournaments\n  v2" in listed.stdout


def test_an_account_without_an_environment_lists_nothing(lab: Lab, tmp_path: Path) -> None:
    keys = Account(lab.site, MOTO_ACCOUNT, "eu-central-1").assume(STRANGER)
    variables = {name.upper(): value for name, value in keys.items()}
    refused = lab.script(lab.clone(tmp_path / "gitops"), *LIST, **variables)
    assert "not authorized to perform: ecr:DescribeImages" in refused.stdout + refused.stderr
