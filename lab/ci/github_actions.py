"""GitHub Actions: runs the jobs of a generated workflow for a push."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.aws_account import Account
from lab.ci import identity
from lab.ci.job import Job, UnknownStepError
from lab.site import Site
from settings.catalogue import BuiltService

EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
COMPARISON = re.compile(r"(\S+) == '([^']*)'")


@dataclass
class Workflow:
    """A run of a workflow: its jobs share the clone, the event and nothing else."""

    site: Site
    service: BuiltService
    clone: Path
    environment: Mapping[str, str]
    context: dict[str, str] = field(default_factory=dict)

    def run(self, file: Path, temporary: Path) -> list[str]:
        """Runs every job in the order of the file; returns what the steps printed.

        Raises StepError, UnknownStepError or NotTrustedError.
        """
        self.context = {
            "github.event_name": "push",
            "github.ref": f"refs/heads/{self.service.branch}",
            "github.repository": self.service.source,
            "runner.temp": str(temporary),
            "vars.GITOPS_APP_CLIENT_ID": "lab",
            "secrets.GITOPS_APP_PRIVATE_KEY": "lab",
        }
        printed: list[str] = []
        for name, definition in yaml.safe_load(file.read_text())["jobs"].items():
            if self._wanted(definition):
                printed += self._job(definition)
                for output, value in self._filled(definition.get("outputs", {})).items():
                    self.context[f"needs.{name}.outputs.{output}"] = value
        return printed

    def _job(self, definition: dict[str, Any]) -> list[str]:
        job = Job(self.clone, {**self.environment, **self._filled(definition.get("env", {}))})
        for step in definition["steps"]:
            if "uses" in step:
                self._action(job, step)
            elif self._wanted(step):
                self._script(job, step)
        return job.log

    def _script(self, job: Job, step: dict[str, Any]) -> None:
        outputs = Path(self.context["runner.temp"]) / "outputs"
        outputs.unlink(missing_ok=True)
        variables = {**self._filled(step.get("env", {})), "GITHUB_OUTPUT": str(outputs)}
        job.bash(step["name"], step["run"], variables)
        for line in outputs.read_text().splitlines() if outputs.exists() else []:
            output, _, value = line.partition("=")
            self.context[f"steps.{step.get('id', '')}.outputs.{output}"] = value

    def _action(self, job: Job, step: dict[str, Any]) -> None:
        name = step["uses"].partition("@")[0]
        if name not in ACTIONS:
            raise UnknownStepError(f"the action {name}")
        for output, value in ACTIONS[name](self, job, self._filled(step.get("with", {}))).items():
            self.context[f"steps.{step.get('id', '')}.outputs.{output}"] = value

    def _wanted(self, part: dict[str, Any]) -> bool:
        condition = part.get("if")
        if condition is None:
            return True
        compared = COMPARISON.fullmatch(condition)
        if not compared:
            raise UnknownStepError(f"the condition {condition}")
        return self._value(compared[1]) == compared[2]

    def _filled(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: EXPRESSION.sub(lambda found: self._value(found[1]), str(value))
            for name, value in values.items()
        }

    def _value(self, expression: str) -> str:
        if expression == "secrets.GITOPS_TOKEN":
            return self.site.git_token.read_text()
        if expression not in self.context:
            raise UnknownStepError(f"the expression {expression}")
        return self.context[expression]


Action = Callable[[Workflow, Job, dict[str, str]], dict[str, str]]


def checkout(run: Workflow, _: Job, __: dict[str, str]) -> dict[str, str]:
    """The clone exists, with its whole history."""
    assert (run.clone / ".git").is_dir(), f"{run.clone} is no clone"  # noqa: S101
    return {}


def aws_credentials(run: Workflow, job: Job, inputs: dict[str, str]) -> dict[str, str]:
    """Assume a role with the job's token, if the role trusts it."""
    claims = identity.github(run.service)
    region, role = inputs["aws-region"], inputs["role-to-assume"]
    account = Account(run.site, role.split(":")[4], region)
    identity.require_trust(account.client("iam"), role, claims)
    credentials = account.client("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="GitHubActions", WebIdentityToken=identity.token(claims)
    )["Credentials"]
    job.environment |= {
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
    return {}


def app_token(run: Workflow, _: Job, __: dict[str, str]) -> dict[str, str]:
    """The token for pushes to the lab's Git."""
    return {"token": run.site.git_token.read_text()}


ACTIONS: dict[str, Action] = {
    "actions/checkout": checkout,
    "actions/create-github-app-token": app_token,
    "aws-actions/configure-aws-credentials": aws_credentials,
}
