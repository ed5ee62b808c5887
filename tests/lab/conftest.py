"""The running lab: the one of this checkout, or one that is started for the tests and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import supervisor
from lab.argocd_api import ArgoCdApi
from lab.aws_account import Account
from lab.ci.builds import Builds
from lab.gitops_checkout import clone
from lab.kubectl import Kubectl
from lab.program import Program, aws_credentials
from lab.site import Site
from lab.state import PartStatus
from lab.toolchain import Toolchain
from lab.up import up


class Lab:
    """A lab in which both environments are up."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.taken_apart = False
        """Whether a test destroyed the stacks: what is left of them is of no use to anybody."""
        self.program = Program(site, Toolchain())
        self.builds = Builds(site, self.program.environment)

    def kubectl(self, environment: str) -> Kubectl:
        """kubectl as the lab's own administrator."""
        return Kubectl.admin(self.site, environment)

    def argocd(self, environment: str, person: str = "rhea") -> ArgoCdApi:
        """Argo CD as somebody of lab/people.yaml; rhea is a releaser and sees everything."""
        return ArgoCdApi.signed_in(self.site, environment, person)

    def aws(self, service: str) -> Any:
        """A boto3 client of the account and region that both environments are in."""
        owner = self.builds.settings.registry_owner
        return Account(self.site, owner.account, owner.region).client(service)

    def kill(self, part: str) -> PartStatus:
        """Kills a part as `kill -9` does; what it was until then."""
        (found,) = (one for one in supervisor.status(self.site) if one.part == part)
        assert found.pid
        os.kill(found.pid, signal.SIGKILL)
        return found

    def unready(self) -> list[str]:
        """The parts that are not ready."""
        return [one.part for one in supervisor.status(self.site) if one.state != "ready"]

    def clone(self, folder: Path) -> Path:
        """A fresh clone of the GitOps repository that can push."""
        return clone(self.site, folder)

    def script(
        self, folder: Path, *command: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a script of the GitOps repository in a clone of it, with the engineer's rights."""
        return subprocess.run(
            [f"scripts/{command[0]}", *command[1:]],
            cwd=folder,
            env={**self.builds.environment, **aws_credentials(self.site), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this checkout: used as it is if it runs, else started now and stopped at the end.

    `make up` before `make test-lab` saves the start; the tests leave every service working.
    """
    site = Site.from_environment()
    was_running = supervisor.running(site)
    up(site)
    running = Lab(site)
    yield running
    if running.taken_apart:
        supervisor.stop(site)
        shutil.rmtree(site.home, ignore_errors=True)
    if not was_running:
        supervisor.stop(site)
    elif running.taken_apart:
        up(site)
