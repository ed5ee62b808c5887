"""`python -m tools.leftovers --stack dev`: what a killed run left in AWS. It changes nothing.

Ends with 0 where there is nothing, with 1 where there is something, with 2 where it cannot tell.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from settings.environment import Settings
from settings.files import ROOT
from settings.loading import load_files
from settings.problems import SettingsError
from tools.leftovers import ec2, services
from tools.leftovers.found import Found
from tools.leftovers.report import leftovers, render
from tools.leftovers.state import known, wanted

Client = Callable[[str], Any]


class CannotTellError(Exception):
    """The accounts or the states cannot be read; the message says which."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.leftovers", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument(
        "--state",
        action="append",
        type=Path,
        metavar="FILE",
        help="what `pulumi stack export` wrote, once for each stack; unless given, it is run",
    )
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE",
        help="what `pulumi preview --json` wrote: the import commands are then complete",
    )
    options = parser.parse_args(arguments)
    try:
        settings = load_files(options.stack, ROOT)
        states = [path.read_text() for path in options.state or []] or list(_exports())
        next_up = wanted(options.preview.read_text()) if options.preview else []
        found = find(_clients(settings), settings)
    except (BotoCoreError, CannotTellError, ClientError, OSError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    left = leftovers(found, known(states), next_up)
    print(render(options.stack, left), end="")
    return 1 if left else 0


def find(client: Client, settings: Settings) -> list[Found]:
    """Everything that carries the tags or the names of an environment."""
    naming = settings.environment.names
    tags = naming.tags()
    existing = settings.config.cluster.existing
    found = [
        *ec2.find(client("ec2"), tags),
        *services.find(client, naming, tags, {existing} if existing else set()),
    ]
    seen = frozenset(identity for one in found for identity in one.identities)
    return [*found, *services.anything_else(client, tags, seen)]


def _clients(settings: Settings) -> Client:
    """Clients for the environment's account, entered as Pulumi enters it."""
    environment = settings.environment
    session = boto3.Session(profile_name=environment.aws.profile, region_name=environment.region)
    if role := environment.aws.role:
        given = session.client("sts").assume_role(RoleArn=role, RoleSessionName="leftovers")
        key = given["Credentials"]
        session = boto3.Session(
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], environment.region
        )
    account = session.client("sts").get_caller_identity()["Account"]
    if account != environment.account:
        raise CannotTellError(
            f"the credentials are of account {account}, and {settings.stack} is in "
            f"{environment.account}; set AWS_PROFILE or aws:profile"
        )
    return session.client


def _exports() -> Iterator[str]:
    """The states of all stacks: a resource that one of them knows is no leftover."""
    for stack in json.loads(_pulumi("stack", "ls", "--json")):
        yield _pulumi("stack", "export", "--stack", stack["name"])


def _pulumi(*words: str) -> str:
    done = subprocess.run(["pulumi", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotTellError(f"pulumi {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
