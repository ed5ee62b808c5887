"""The lab's commands, which the targets of the Makefile run: `python -m lab up` and so on."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from lab import supervisor
from lab.argocd_api import CLIENT
from lab.ci.builds import Builds
from lab.identity_provider import id_token
from lab.overview import render, rows
from lab.program import Program, aws_credentials
from lab.site import CHECKOUT, Site
from lab.toolchain import Toolchain
from lab.up import approve, up
from settings.addresses import addresses
from settings.loading import load_files
from settings.problems import UserError

NEXT = """
Try next:
  make status                             the same table again
  make build SERVICE=tv-api               a build of a service, as its own pipeline makes it
  make approve SERVICE=tv-api             approve its sync on prod, as a releaser
  curl --proxy {proxy} --cacert {authority} \\
      https://tournaments.dev.acme.example     a pod of a service, by its name
"""

Command = Callable[[Site, argparse.Namespace], int | None]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        return run(Site.from_environment(), arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


def run(site: Site, arguments: list[str] | None) -> int:
    """Run one command in a lab; returns the exit status."""
    options = parser(site).parse_args(arguments)
    if options.command in IN_A_RUNNING_LAB and not supervisor.running(site):
        raise UserError("The lab does not run. Start it with `make up`.")
    return COMMANDS[options.command](site, options) or 0


def parser(site: Site) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = result.add_subparsers(dest="command", required=True)
    command = {
        name: commands.add_parser(name, help=action.__doc__) for name, action in COMMANDS.items()
    }
    command["preview"].add_argument("stack", choices=site.environments)
    command["build"].add_argument("service")
    command["build"].add_argument("--subject", default="a change", help="of the commit")
    command["approve"].add_argument("service")
    command["approve"].add_argument("--environment", default="prod", choices=site.environments)
    command["token"].add_argument("user")
    command["shell"].add_argument("program", nargs=argparse.REMAINDER, help="instead of a shell")
    return result


def bring_up(site: Site, _: argparse.Namespace) -> None:
    """start the lab and bring every environment up in it"""
    up(site)
    print(render(rows(site)))
    print(addresses_of(site))
    print(NEXT.format(proxy=site.url("names"), authority=site.authority_of_names("dev")), end="")


def addresses_of(site: Site) -> str:
    """The addresses of every environment with a way in, as `pulumi up` exports them."""
    every = [load_files(name, CHECKOUT) for name in site.environments]
    return "\n".join(
        f"{settings.stack:8}{url}"
        for settings in every
        if settings.config.ingress
        for url in addresses(settings).values()
    )


def status(site: Site, _: argparse.Namespace) -> int:
    """show daemons that are not ready, and the state of every service"""
    troubled = [daemon for daemon in supervisor.status(site) if daemon.state != "ready"]
    for daemon in troubled:
        print(f"{daemon.name} is {daemon.state}: {daemon.note}", file=sys.stderr)
    if not supervisor.running(site):
        print("The lab does not run. Start it with `make up`.", file=sys.stderr)
        return 1
    print(render(rows(site)))
    return 1 if troubled else 0


def preview(site: Site, options: argparse.Namespace) -> None:
    """show what `pulumi up` would change"""
    Program(site, Toolchain()).preview(options.stack, "--diff", "--color=always")


def down(site: Site, _: argparse.Namespace) -> None:
    """stop everything, keep the state"""
    supervisor.stop(site)


def clean(site: Site, _: argparse.Namespace) -> None:
    """stop everything and forget the state"""
    supervisor.stop(site)
    shutil.rmtree(site.home, ignore_errors=True)


def build(site: Site, options: argparse.Namespace) -> None:
    """commit to a service's repository and run its pipeline"""
    program = Program(site, Toolchain())
    print(Builds(site, program.environment).build(options.service, options.subject))


def approve_sync(site: Site, options: argparse.Namespace) -> None:
    """approve the sync of a service, as a releaser, and wait for its end"""
    approve(site, options.environment, options.service)
    print(render([line for line in rows(site) if line.service.endswith(f"/{options.service}")]))


def token(site: Site, options: argparse.Namespace) -> None:
    """print the token with which a user of lab/users.yaml calls Argo CD"""
    print(id_token(site, options.user, CLIENT))


def shell(site: Site, options: argparse.Namespace) -> int:
    """open a shell in the GitOps checkout, with the lab's tools and credentials"""
    environment = Builds(site, Program(site, Toolchain()).environment).environment
    named = options.program[1:] if options.program[:1] == ["--"] else options.program
    return subprocess.run(
        named or [os.environ.get("SHELL", "bash")],
        cwd=site.gitops_checkout,
        env={**environment, **aws_credentials(site, site.environments[0])},
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
