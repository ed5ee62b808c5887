"""`python -m lab …`: what the Makefile's targets run."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from lab import supervisor
from lab.argocd_api import CLIENT, ArgoCdError
from lab.ci.builds import Builds, UnknownServiceError
from lab.ci.identity import NotTrustedError
from lab.ci.job import StepError, UnknownStepError
from lab.gitops_checkout import GitError
from lab.kubectl import KubectlError
from lab.overview import render, rows
from lab.people import UnknownPersonError, id_token
from lab.ports import PortsTakenError
from lab.program import Program, ProgramError, aws_credentials
from lab.site import Site
from lab.toolchain import MissingToolError, Toolchain
from lab.up import ReleaseError, approve, up
from lab.waiting import StillMissingError
from settings import SettingsError

NEXT = """
Try next:
  make status                             the same table again
  make build SERVICE=tv-api               a build of a service, as its own pipeline makes it
  make approve SERVICE=tv-api             approve its sync on prod, as a releaser
"""

Command = Callable[[Site, argparse.Namespace], int | None]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        adding = commands.add_parser(name, help=command.__doc__)
        adding.set_defaults(run=command)
        if name == "preview":
            adding.add_argument("stack", choices=Site.from_environment().environments)
        if name in ("approve", "build"):
            adding.add_argument("service")
        if name == "build":
            adding.add_argument("--subject", default="a change", help="of the commit")
        if name == "token":
            adding.add_argument("person")
        if name == "approve":
            environments = Site.from_environment().environments
            adding.add_argument("--environment", default="prod", choices=environments)
        if name == "shell":
            adding.add_argument("program", nargs=argparse.REMAINDER, help="instead of a shell")
    options = parser.parse_args(arguments)
    site = Site.from_environment()
    if options.command in IN_A_RUNNING_LAB and not supervisor.running(site):
        print("The lab does not run; `make up` starts it.", file=sys.stderr)
        return 1
    try:
        return options.run(site, options) or 0
    except (
        ArgoCdError,
        GitError,
        KubectlError,
        MissingToolError,
        NotTrustedError,
        PortsTakenError,
        ProgramError,
        ReleaseError,
        SettingsError,
        StepError,
        StillMissingError,
        UnknownPersonError,
        UnknownServiceError,
        UnknownStepError,
        supervisor.LabError,
    ) as error:
        print(error, file=sys.stderr)
        return 1


def bring_up(site: Site, _: argparse.Namespace) -> None:
    """start the lab and bring every environment up in it"""
    up(site)
    print(render(rows(site)))
    print(NEXT, end="")


def status(site: Site, _: argparse.Namespace) -> int:
    """the state of the lab's parts and of every service"""
    troubled = [part for part in supervisor.status(site) if part.state != "ready"]
    for part in troubled:
        print(f"{part.part} is {part.state}: {part.note}", file=sys.stderr)
    if not supervisor.running(site):
        print("The lab does not run; `make up` starts it.", file=sys.stderr)
        return 1
    print(render(rows(site)))
    return 1 if troubled else 0


def preview(site: Site, options: argparse.Namespace) -> None:
    """what `pulumi up` would change"""
    Program(site, Toolchain()).preview(options.stack, "--diff", "--color=always")


def down(site: Site, _: argparse.Namespace) -> None:
    """stop everything, keep the state"""
    supervisor.stop(site)


def clean(site: Site, _: argparse.Namespace) -> None:
    """stop everything and forget the state"""
    supervisor.stop(site)
    shutil.rmtree(site.home, ignore_errors=True)


def build(site: Site, options: argparse.Namespace) -> None:
    """a commit to a service's repository, and its pipeline"""
    program = Program(site, Toolchain())
    print(Builds(site, program.environment).build(options.service, options.subject))


def approve_sync(site: Site, options: argparse.Namespace) -> None:
    """approve the sync of a service, as a releaser, and wait for its end"""
    approve(site, options.environment, options.service)
    print(render([line for line in rows(site) if line.service.endswith(f"/{options.service}")]))


def token(site: Site, options: argparse.Namespace) -> None:
    """what single sign-on gives somebody of lab/people.yaml for Argo CD"""
    print(id_token(site, options.person, CLIENT))


def shell(site: Site, options: argparse.Namespace) -> int:
    """a shell in the GitOps checkout, with the lab's tools and credentials"""
    environment = Builds(site, Program(site, Toolchain()).environment).environment
    named = options.program[1:] if options.program[:1] == ["--"] else options.program
    return subprocess.run(
        named or [os.environ.get("SHELL", "bash")],
        cwd=site.gitops_checkout,
        env={**environment, **aws_credentials(site)},
        check=False,
    ).returncode


COMMANDS: dict[str, Command] = {
    "up": bring_up,
    "status": status,
    "preview": preview,
    "down": down,
    "clean": clean,
    "build": build,
    "approve": approve_sync,
    "token": token,
    "shell": shell,
}
IN_A_RUNNING_LAB = frozenset({"preview", "build", "approve", "token", "shell"})

if __name__ == "__main__":
    sys.exit(main())
