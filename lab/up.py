"""The steps of `make up`, from nothing to two running environments."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gitops.version import version_file
from lab import gitea, supervisor
from lab.argocd_api import ArgoCdApi
from lab.ci.builds import Builds
from lab.gitops_checkout import clone, commit_and_push, pull
from lab.names import environment_of
from lab.overview import OBSERVER
from lab.program import Program, aws_credentials
from lab.site import CHECKOUT, Site
from lab.toolchain import Toolchain
from lab.waiting import wait_until_empty
from settings.environment import Settings
from settings.loading import load_files
from settings.problems import UserError

RELEASER = "rhea"
"""The user of lab/users.yaml who approves the syncs of safe environments."""


class ReleaseError(UserError):
    """A release script refused or failed."""

    def __init__(self, command: list[str], output: str) -> None:
        super().__init__(f"{' '.join(command)} failed:\n{output}")


def up(site: Site) -> None:
    """Bring every environment up; a step that has nothing to do is skipped."""
    toolchain = Toolchain()
    with step("starting the lab"):
        supervisor.start(site)
        gitea.furnish(site, toolchain)
    clone(site, site.gitops_checkout)
    program = Program(site, toolchain)
    environments = in_order(site)
    for settings in environments:
        with step(f"pulumi up on {settings.stack}"):
            up_and_push(site, program, settings.stack)
    with step("first builds and their promotion"):
        first_releases(site, program, environments)
    with step("waiting for Argo CD"):
        for settings in environments:
            wait_for(site, settings)


def up_and_push(site: Site, program: Program, stack: str) -> None:
    """Run `pulumi up` of one environment, and push what it wrote into the checkout."""
    pull(site.gitops_checkout)
    program.up(stack)
    wait_for_names(site, stack)
    commit_and_push(site.gitops_checkout, f"Scaffold of {stack}, as pulumi up wrote it")


def wait_for_names(site: Site, stack: str) -> None:
    """Wait until the names lead to the load balancer: then Git can tell Argo CD of a push."""
    settings = load_files(stack, CHECKOUT)
    if not settings.config.ingress:
        return
    host = settings.config.argocd_domain

    def missing() -> str:
        return "" if environment_of(site, host) == stack else f"{host} leads nowhere"

    wait_until_empty(f"the names of {stack}", missing, seconds=120, every=1)


def in_order(site: Site) -> list[Settings]:
    """The settings of every environment, the registry's owner first."""
    loaded = [load_files(name, CHECKOUT) for name in site.environments]
    return sorted(loaded, key=lambda settings: (not settings.owns_registry, settings.stack))


def first_releases(site: Site, program: Program, environments: list[Settings]) -> None:
    """Build every service that has no build, and promote every service that has no release."""
    builds = Builds(site, program.environment)
    checkout = site.gitops_checkout
    fast = [settings for settings in environments if settings.speed.moving_tag]
    undelivered = {name for settings in fast for name in never_released(checkout, settings)}
    builds.build_all(sorted(undelivered.union(builds.missing())))
    pull(checkout)
    for settings in environments:
        if settings not in fast and (waiting := never_released(checkout, settings)):
            script = checkout / "scripts" / "promote-to-prod.sh"
            named = [word for name in waiting for word in ("--service", name)]
            command = [str(script), "--from-dev", "--environment", settings.stack, "--yes", *named]
            run(command, site, {**builds.environment, **aws_credentials(site, settings.stack)})
    pull(checkout)


def never_released(checkout: Path, settings: Settings) -> list[str]:
    """The services that have no version in an environment."""
    folder = checkout / "environments" / settings.stack
    return [
        name
        for namespace, name, service in settings.living.entries()
        for file, first in [version_file(service.packaging, "")]
        if (folder / namespace / name / "version" / file).read_text() == first
    ]


def run(command: list[str], site: Site, environment: Mapping[str, str]) -> None:
    """Runs a release script in the checkout as the platform's engineer; raises ReleaseError."""
    done = subprocess.run(
        command,
        cwd=site.gitops_checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ReleaseError(command, done.stdout + done.stderr)


def wait_for(site: Site, settings: Settings) -> None:
    """Wait until every Application of an environment is in its expected state.

    That is Synced and Healthy if syncs are automated, and OutOfSync if a sync has to be approved.
    """
    api = ArgoCdApi.signed_in(site, settings.stack, OBSERVER)

    def missing() -> list[str]:
        found = api.applications()
        return [
            f"{settings.stack}/{name}: {problem}"
            for _, name, _ in settings.living.entries()
            if (problem := unsettled(found.get(name), automated=settings.speed.automated_sync))
        ]

    wait_until_empty(f"Argo CD on {settings.stack}", missing, seconds=180, every=1)


def unsettled(application: dict[str, Any] | None, *, automated: bool) -> str:
    """The state of an Application that is not as expected; otherwise empty."""
    if application is None:
        return "not there"
    status = application.get("status", {})
    sync = status.get("sync", {}).get("status", "Unknown")
    health = status.get("health", {}).get("status", "Unknown")
    approved = "operationState" in status
    settled = (
        (sync, health) == ("Synced", "Healthy")
        if automated or (approved and sync == "Synced")
        else sync == "OutOfSync"
    )
    conditions = [condition["message"] for condition in status.get("conditions", [])]
    return "" if settled else " ".join([f"{sync}/{health}", *conditions])


def approve(site: Site, environment: str, service: str) -> None:
    """Approves a sync as a releaser and waits for its end. Raises ArgoCdError."""
    api = ArgoCdApi.signed_in(site, environment, RELEASER)
    api.application(service, refresh=True)
    api.sync(service)

    def missing() -> str:
        application = api.application(service)
        under_way = "its sync has not ended" if "operation" in application else ""
        return under_way or unsettled(application, automated=True)

    wait_until_empty(f"the sync of {service} on {environment}", missing, seconds=120)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print what begins, and how long it took."""
    print(f"==> {what}", flush=True)
    start = time.monotonic()
    yield
    print(f"    done in {time.monotonic() - start:.0f} s", flush=True)
