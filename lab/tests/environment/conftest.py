"""The running lab: the one of this checkout, or one that the tests start and stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from lab import supervisor
from lab.argocd_api import ArgoCdApi
from lab.aws_account import Account
from lab.ci.builds import Builds
from lab.gitops_checkout import clone
from lab.kubectl import Kubectl
from lab.program import Program, aws_credentials
from lab.site import Site
from lab.state import DaemonStatus
from lab.toolchain import Toolchain
from lab.up import up

TAKES_LAB_APART = "takes_lab_apart"
MORE_SERVICES = Path(__file__).with_name("services")


class Lab:
    """A lab in which both environments are up."""

    def __init__(self, site: Site, *, temporary: bool = False) -> None:
        self.site = site
        self.temporary = temporary
        """The tests made it, and forget it at the end."""
        self.condition: Literal["whole", "extended", "unprotected", "destroyed"] = "whole"
        """What tests have left of the stacks: more services, or what those that are marked
        `takes_lab_apart` do."""
        self._connect()

    def _connect(self) -> None:
        site = self.site
        self.program = Program(site, Toolchain())
        self.builds = Builds(site, self.program.environment)

    def recreate(self) -> None:
        """Delete the lab's state and bring both environments up again."""
        supervisor.stop(self.site)
        shutil.rmtree(self.site.home)
        up(self.site)
        self.condition = "whole"
        self._connect()

    def kubectl(self, environment: str) -> Kubectl:
        """kubectl as the lab's own administrator."""
        return Kubectl.admin(self.site, environment)

    def argocd(self, environment: str, user: str = "rhea") -> ArgoCdApi:
        """Argo CD as a user of lab/users.yaml; rhea is a releaser and sees everything."""
        return ArgoCdApi.signed_in(self.site, environment, user)

    def account(self, environment: str = "") -> Account:
        """The AWS account and region of an environment, or of the registry."""
        settings = self.builds.settings
        named = {where.name: where for where in settings.environments}
        where = named[environment or settings.registry_owner.name]
        return Account(self.site, where.account, where.region)

    def aws(self, service: str, environment: str = "") -> Any:
        """A boto3 client of the account and region of an environment, or of the registry."""
        return self.account(environment).client(service)

    def kill(self, name: str) -> DaemonStatus:
        """Kill a daemon as `kill -9` does; returns its status before."""
        (found,) = (one for one in supervisor.status(self.site) if one.name == name)
        assert found.pid
        os.kill(found.pid, signal.SIGKILL)
        return found

    def unready(self) -> list[str]:
        """The daemons that are not ready."""
        return [one.name for one in supervisor.status(self.site) if one.state != "ready"]

    def clone(self, folder: Path) -> Path:
        """A fresh clone of the GitOps repository that can push."""
        return clone(self.site, folder)

    def script(
        self, folder: Path, *command: str, credentials: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a script of the GitOps repository in a clone of it, as the platform's engineer.

        credentials: the environment in whose account the engineer is; the first unless given.
        """
        of = aws_credentials(self.site, credentials or self.site.environments[0])
        return subprocess.run(
            [f"scripts/{command[0]}", *command[1:]],
            cwd=folder,
            env={**self.builds.environment, **of, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this checkout. If it does not run, it is started now and stopped at the end.

    `make up` before `make test-lab` saves the start; the tests leave every service working. A lab
    without state before the tests has none after them.
    """
    site = Site.from_environment()
    was_running = supervisor.running(site)
    temporary = not site.home.exists()
    up(site)
    running = Lab(site, temporary=temporary)
    yield running
    if not was_running:
        supervisor.stop(site)
    if temporary or running.condition != "whole":
        if was_running:
            running.recreate()
        else:
            shutil.rmtree(site.home)


@pytest.fixture(autouse=True)
def _whole_lab(request: pytest.FixtureRequest) -> None:
    """Recreate the lab for a test that needs it whole, after one that took it apart."""
    if "lab" in request.fixturenames and not request.node.get_closest_marker(TAKES_LAB_APART):
        lab = request.getfixturevalue("lab")  # some modules have another fixture of this name
        if isinstance(lab, Lab) and lab.condition != "whole":
            lab.recreate()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{TAKES_LAB_APART}: the lab has to be recreated afterwards")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take the lab apart run last: in any other order it has to be recreated.

    Those with more services run just before them: in a temporary lab the services then stay.
    """
    items.sort(key=lambda item: MORE_SERVICES in item.path.parents)
    items.sort(key=lambda item: item.get_closest_marker(TAKES_LAB_APART) is not None)
