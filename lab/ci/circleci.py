"""CircleCI: runs the jobs of a generated configuration for a push."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from lab.aws_account import Account
from lab.ci import identity
from lab.ci.job import Job, UnknownStepError
from lab.site import Site
from settings.catalogue import BuiltService

GIVEN = frozenset({"checkout", "add_ssh_keys"})
"""Steps that have nothing to do here: the clone exists, and a token takes the place of a key."""
WORKSPACE = frozenset({"persist_to_workspace", "attach_workspace"})
"""These have nothing to do either: all jobs share one folder in place of /tmp."""


def run(
    file: Path,
    *,
    site: Site,
    service: BuiltService,
    organization: str,
    clone: Path,
    environment: Mapping[str, str],
    temporary: Path,
) -> list[str]:
    """Runs every job in the order of the file; returns what the steps printed.

    `temporary` takes the place of /tmp. Raises StepError, UnknownStepError or NotTrustedError.
    """
    claims = identity.circleci(organization, service)
    printed: list[str] = []
    text = file.read_text().replace("/tmp/", f"{temporary}/")  # noqa: S108 - jobs run side by side
    for definition in yaml.safe_load(text)["jobs"].values():
        variables = {str(k): str(v) for k, v in definition.get("environment", {}).items()}
        if role := variables.get("AWS_ROLE_ARN"):
            iam = Account(site, role.split(":")[4], variables["AWS_REGION"]).client("iam")
            identity.require_trust(iam, role, claims)
        job = Job(
            clone,
            {
                **environment,
                "CIRCLE_OIDC_TOKEN_V2": identity.token(claims),
                "GITOPS_TOKEN": site.git_token.read_text(),
                **variables,
            },
        )
        for step in definition["steps"]:
            _step(job, step)
        printed += job.log
    return printed


def _step(job: Job, step: str | dict[str, dict[str, str]]) -> None:
    if isinstance(step, str):
        if step not in GIVEN:
            raise UnknownStepError(f"the step {step}")
    elif "run" in step:
        job.bash(step["run"]["name"], step["run"]["command"])
    elif not WORKSPACE & step.keys():
        raise UnknownStepError(f"the step {next(iter(step))}")
