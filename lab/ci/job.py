"""One job of a pipeline: a folder, an environment, and steps that run in bash."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from settings.problems import UserError


class StepError(UserError):
    """A step of a pipeline failed."""

    def __init__(self, name: str, status: int, output: str) -> None:
        super().__init__(f"the step {name!r} ended with status {status}:\n{output}")


class UnknownStepError(UserError):
    """A pipeline uses a feature of its CI system that the lab does not have."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the lab's CI does not have {what}; add it to lab/ci/")


@dataclass
class Job:
    """A running job; `log` collects what its steps print."""

    folder: Path
    environment: dict[str, str]
    log: list[str] = field(default_factory=list)

    def bash(self, name: str, script: str, variables: dict[str, str] | None = None) -> None:
        """Runs a script as both CI systems do: stop at the first failure, also inside pipes.

        Raises StepError.
        """
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self.environment, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.log.append(done.stdout)
        if done.returncode:
            raise StepError(name, done.returncode, done.stdout)
