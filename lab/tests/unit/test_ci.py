"""What the lab plays of the CI systems: tokens, trust, steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.ci import ci_trust
from lab.ci import identity
from lab.ci.docker import parts
from lab.ci.github_actions import Workflow
from lab.ci.job import Job, StepError, UnknownStepError
from lab.site import Site
from settings.catalogue import BuiltService
from settings.environment import Settings


class Iam:
    """An IAM that has one role."""

    def __init__(self, document: str) -> None:
        import json  # noqa: PLC0415 - only here

        self.document = json.loads(document)

    def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {"Role": {"RoleName": RoleName, "AssumeRolePolicyDocument": self.document}}


@pytest.fixture
def services(dev: Settings) -> dict[str, BuiltService]:
    return {name: service for _, name, service in dev.catalogue.built()}


PROVIDER = "arn:aws:iam::123456789012:oidc-provider/"
GITHUB = PROVIDER + identity.GITHUB


@pytest.mark.parametrize("name", ["tv-api", "tv-frontend"])
def test_a_role_trusts_the_workflow_of_its_own_repository(
    services: dict[str, BuiltService], name: str
) -> None:
    iam = Iam(ci_trust.github(GITHUB, services[name]))
    identity.require_trust(iam, "arn:aws:iam::1:role/x", identity.github(services[name]))


def test_a_role_does_not_trust_the_workflow_of_another_repository(
    services: dict[str, BuiltService],
) -> None:
    iam = Iam(ci_trust.github(GITHUB, services["tv-api"]))
    claims = identity.github(services["tv-frontend"])
    with pytest.raises(identity.NotTrustedError):
        identity.require_trust(iam, "arn:aws:iam::1:role/x", claims)


def test_a_role_does_not_trust_another_branch(services: dict[str, BuiltService]) -> None:
    iam = Iam(ci_trust.github(GITHUB, services["tv-api"]))
    claims = identity.github(services["tv-api"])
    claims["sub"] = claims["sub"].replace("heads/main", "heads/feature")
    with pytest.raises(identity.NotTrustedError):
        identity.require_trust(iam, "arn:aws:iam::1:role/x", claims)


def test_a_role_trusts_the_project_of_its_own_service_in_circleci(
    dev: Settings, services: dict[str, BuiltService]
) -> None:
    assert dev.catalogue.circleci
    organization = dev.catalogue.circleci.organization
    provider = PROVIDER + ci_trust.circleci_issuer(organization)
    iam = Iam(ci_trust.circleci(provider, organization, services["tournaments"]))
    own = identity.circleci(str(organization), services["tournaments"])
    identity.require_trust(iam, "arn:aws:iam::1:role/x", own)
    with pytest.raises(identity.NotTrustedError):
        other = identity.circleci(str(organization), services["leaderboard"])
        identity.require_trust(iam, "arn:aws:iam::1:role/x", other)


def test_an_image_is_taken_apart_by_tag_and_by_digest() -> None:
    assert parts("127.0.0.1:5000/a/b:v1") == ("127.0.0.1:5000", "a/b", "v1")
    assert parts("127.0.0.1:5000/a/b@sha256:00") == ("127.0.0.1:5000", "a/b", "sha256:00")


def test_an_action_that_is_not_played_is_named(
    tmp_path: Path, services: dict[str, BuiltService]
) -> None:
    file = tmp_path / "release.yml"
    file.write_text("jobs: {a: {steps: [{uses: acme/unknown@v1}]}}")
    run = Workflow(Site(home=tmp_path), services["tv-api"], tmp_path, {})
    with pytest.raises(UnknownStepError, match="acme/unknown"):
        run.run(file, tmp_path)


def test_a_step_that_fails_stops_the_job_with_its_output(tmp_path: Path) -> None:
    job = Job(tmp_path, {"PATH": "/usr/bin:/bin"})
    with pytest.raises(StepError, match="no luck"):
        job.bash("Try", "echo no luck; false | true; echo not reached")
