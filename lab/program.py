"""The unmodified Pulumi program, run by the real engine against the lab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.aws_api.record import STACK
from lab.overrides import stack_file
from lab.pulumi_home import assemble
from lab.site import CHECKOUT, Site
from lab.toolchain import Toolchain
from settings.problems import UserError


class ProgramError(UserError):
    """A `pulumi` command failed; its own output says why."""

    def __init__(self, command: Sequence[str], status: int, output: str = "") -> None:
        detail = f":\n{output}" if output else "; see its output above"
        super().__init__(f"pulumi {' '.join(command)} ended with status {status}{detail}")


class Program:
    """Runs `pulumi` for the stacks of one lab.

    `trying` is configuration that replaces keys of the committed files, by stack.
    """

    def __init__(self, site: Site, toolchain: Toolchain) -> None:
        self.site = site
        self.trying: dict[str, dict[str, object]] = {}
        self.home = site.home / "pulumi"
        programs = assemble(self.home, toolchain)
        self.pulumi = programs / "pulumi"
        self.environment = {
            **os.environ,
            **aws_credentials(site, site.environments[0]),
            "PATH": os.pathsep.join(
                (
                    str(programs),
                    str(Path(sys.executable).parent),
                    toolchain.search_path(),
                    os.environ["PATH"],
                )
            ),
            "LAB_HOME": str(site.home),
            "LAB_PORT_BASE": str(site.port_base),
            "PULUMI_HOME": str(self.home),
            # No files of metadata beside the state: a killed CLI can leave one that is incomplete.
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "lab",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # Python keeps what it compiled of the program, as it does for users.
            "PYTHONDONTWRITEBYTECODE": "",
        }
        (self.home / "state").mkdir(parents=True, exist_ok=True)

    def up(self, stack: str) -> None:
        """`pulumi up`, its progress on this terminal."""
        self.selected(stack)
        self.show("up", "--yes", stack=stack)

    def preview(self, stack: str, *options: str) -> None:
        """`pulumi preview`, on this terminal."""
        self.selected(stack)
        self.show("preview", *options, stack=stack)

    def destroy(self, stack: str) -> None:
        """`pulumi destroy`, its progress on this terminal."""
        self.selected(stack)
        self.show("destroy", "--yes", stack=stack)

    def changes(self, stack: str) -> dict[str, int]:
        """The number of resources that a preview would change, by operation, without `same`."""
        self.selected(stack)
        summary = json.loads(self.read("preview", "--json", stack=stack))["changeSummary"]
        return {kind: count for kind, count in summary.items() if kind != "same"}

    def outputs(self, stack: str) -> dict[str, Any]:
        """The stack's outputs."""
        values: dict[str, Any] = json.loads(self.read("stack", "output", "--json", stack=stack))
        return values

    def show(self, *arguments: str, stack: str) -> None:
        """Runs a command on this terminal; raises ProgramError when it fails."""
        command = self.command(arguments, stack)
        status = subprocess.run(command, env=self.environment_of(stack), check=False).returncode
        if status:
            raise ProgramError(arguments, status)

    def read(self, *arguments: str, stack: str, folder: Path = CHECKOUT) -> str:
        """Runs a command and returns what it prints; raises ProgramError when it fails."""
        done = self.run(*arguments, stack=stack, folder=folder)
        if done.returncode:
            raise ProgramError(arguments, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def run(
        self, *arguments: str, stack: str, folder: Path = CHECKOUT
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command and returns its status and output, whatever they are."""
        return subprocess.run(
            self.command(arguments, stack, folder),
            env=self.environment_of(stack),
            check=False,
            capture_output=True,
            text=True,
        )

    def environment_of(self, stack: str) -> dict[str, str]:
        """The environment variables of a command for `stack`, with the credentials of its account;
        its calls of AWS name the stack."""
        own = aws_credentials(self.site, stack) if stack in self.site.environments else {}
        return {**self.environment, **own, "TF_APPEND_USER_AGENT": f"{STACK}{stack}"}

    def selected(self, stack: str) -> str:
        """Create `stack` if it does not exist, and write its file from the committed one.

        Pulumi writes the salt of a new stack's secrets into the stack file of its folder. That is
        the lab's folder, so the committed file does not change.
        """
        stack_file(self.site, stack, self.trying.get(stack, {}))
        shutil.copy(CHECKOUT / "Pulumi.yaml", self.site.home)
        self.read("stack", "select", "--create", stack=stack, folder=self.site.home)
        return stack

    def command(self, arguments: Sequence[str], stack: str, folder: Path = CHECKOUT) -> list[str]:
        """The command line that runs `pulumi` with these arguments, in `environment`."""
        options = ["--stack", stack, "--cwd", str(folder)]
        if not sys.stdout.isatty():
            options.append("--non-interactive")
        if arguments[0] in ("up", "preview", "destroy", "refresh", "import"):
            options += ["--config-file", str(self.site.home / f"Pulumi.{stack}.yaml")]
        return [str(self.pulumi), *arguments, *options]


def aws_credentials(site: Site, environment: str) -> dict[str, str]:
    """The AWS_* variables of an environment's platform role in the lab."""
    lines = site.aws_credentials(environment).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line)
