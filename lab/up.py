"""From nothing to two running environments: the steps of `make up`, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab import ci, supervisor
from lab.argocd_api import ArgoCdApi
from lab.gitops_checkout import clone, commit_and_push, pull
from lab.program import Program
from lab.site import CHECKOUT, Site
from lab.table import Row, row
from lab.toolchain import Toolchain
from lab.waiting import wait_until_empty
from settings import Settings, load_files


def up(site: Site) -> None:
    """Brings every environment up; each step is skipped when it has nothing left to do."""
    toolchain = Toolchain()
    with step("starting the lab"):
        supervisor.start(site)
    checkout = clone(site, site.gitops_checkout)
    program = Program(site, toolchain)
    environments = in_order(site)
    for settings in environments:
        with step(f"pulumi up on {settings.stack}"):
            pull(checkout)
            program.up(settings.stack)
            commit_and_push(checkout, f"Scaffold of {settings.stack}, as pulumi up wrote it")
    with step("first builds and their promotion"):
        ci.first_releases(site, program, environments)
    with step("waiting for Argo CD"):
        for settings in environments:
            wait_for(site, settings)


def in_order(site: Site) -> list[Settings]:
    """The settings of every environment, the registry's owner first."""
    loaded = [load_files(name, CHECKOUT) for name in site.environments]
    return sorted(loaded, key=lambda settings: (not settings.owns_registry, settings.stack))


def wait_for(site: Site, settings: Settings) -> None:
    """Waits until automated Applications are Synced and Healthy, the others OutOfSync."""
    wanted = ("Synced", "Healthy") if settings.speed.automated_sync else ("OutOfSync",)

    def missing() -> list[str]:
        found = {line.service.split("/")[1]: line for line in rows(site, settings.stack)}
        return [
            f"{settings.stack}/{name} {'/'.join(wanted)} (now {state(found.get(name))})"
            for _, name, _ in settings.catalogue.entries()
            if name not in found or (found[name].sync, found[name].health)[: len(wanted)] != wanted
        ]

    wait_until_empty(f"Argo CD on {settings.stack}", missing, seconds=180, every=1)


def state(line: Row | None) -> str:
    return f"{line.sync}/{line.health}" if line else "not there"


def rows(site: Site, environment: str) -> list[Row]:
    """A row for every Application of one environment."""
    applications = ArgoCdApi.admin(site, environment).applications()
    return [row(environment, application) for application in applications.values()]


@contextmanager
def step(what: str) -> Iterator[None]:
    """Says what begins, and how long it took once it is done."""
    print(f"==> {what}", flush=True)
    start = time.monotonic()
    yield
    print(f"    done in {time.monotonic() - start:.0f} s", flush=True)
