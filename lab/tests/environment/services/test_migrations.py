"""A migration runs once for each version before its pods serve; a process runs by its schedule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.ci.builds import Builds
from lab.gitops_checkout import commit_and_push, pull
from lab.tests.environment.conftest import Lab
from lab.tests.environment.services.catalogue import MIGRATIONS as NAMESPACE
from lab.tests.environment.services.conftest import Extended
from lab.tests.environment.test_releases import both, ship
from lab.up import approve, unsettled
from lab.waiting import wait_until_empty

SERVICES = ("accounts", "invoices")
"""Delivered by Keel, and by commits."""


@dataclass(frozen=True)
class Office:
    """Both environments with these services, whose programs are scripts that note their runs."""

    lab: Lab
    builds: Builds
    notes: Path

    @property
    def hold(self) -> Path:
        """While there is such a file, migrations do not end."""
        return self.notes / "hold"

    @property
    def fail(self) -> Path:
        """While there is such a file, migrations fail."""
        return self.notes / "fail"

    def runs(self, service: str) -> list[str]:
        """What ran of a service, in order: `migration of <version> on <environment>`."""
        file = self.notes / service
        return file.read_text().splitlines() if file.exists() else []

    def build(self, service: str, version: str) -> None:
        """A build whose migration and schedule note that version."""
        folder = self.builds.folder(service)
        folder.mkdir(parents=True, exist_ok=True)
        migrate = f"""\
            #!/bin/sh
            echo "migration of {version} on $ENVIRONMENT" >> {self.notes / service}
            while [ -e {self.hold} ]; do sleep 0.2; done
            test ! -e {self.fail}
            """
        minutely = f"""\
            #!/bin/sh
            echo "minutely of {version} on $ENVIRONMENT" >> {self.notes / service}
            """
        for name, text in {"migrate": migrate, "minutely": minutely}.items():
            (folder / name).write_text("".join(f"{line.strip()}\n" for line in text.splitlines()))
        self.builds.build(service, f"{service}: {version}")

    def pods(self, environment: str, service: str) -> list[dict[str, Any]]:
        """The pods of the service that stay, without those of its processes."""
        found: list[dict[str, Any]] = self.lab.kubectl(environment).get(
            "pods",
            f"--namespace={NAMESPACE}",
            f"--selector=app.kubernetes.io/name={service}",
        )["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def serving(self, environment: str, service: str) -> set[str]:
        """The pods that are Ready."""
        return {pod["metadata"]["name"] for pod in self.pods(environment, service) if ready(pod)}

    def settle(self, environment: str, service: str) -> None:
        """Wait until the Application is Synced and Healthy and every pod is Ready."""

        def missing() -> str:
            found = self.lab.argocd(environment).application(service, refresh=True)
            waiting = [pod for pod in self.pods(environment, service) if not ready(pod)]
            return unsettled(found, automated=True) or f"{len(waiting) or ''}"

        wait_until_empty(f"{service} on {environment}", missing, seconds=120)

    def wait_until_replaced(self, environment: str, service: str, before: set[str]) -> None:
        """Wait until others serve than `before`, and the Application is settled."""

        def left() -> set[str]:
            return self.serving(environment, service) & before

        wait_until_empty(f"the new pods of {service}", left, seconds=90)
        self.settle(environment, service)

    def approve(self, service: str) -> None:
        approve(self.lab.site, "prod", service)

    def wait_for_run(self, service: str, what: str) -> None:
        wait_until_empty(
            what, lambda: "" if what in self.runs(service) else self.runs(service), seconds=90
        )


def ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@pytest.fixture(scope="module")
def office(more: Extended, tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = Office(more.lab, more.builds, tmp_path_factory.mktemp("notes"))
    for service in SERVICES:
        made.build(service, "v1")
    for service in SERVICES:
        made.settle("dev", service)
    return made


def test_the_old_pods_serve_until_the_one_migration_of_the_new_version_has_ended(
    office: Office,
) -> None:
    before = {service: office.serving("dev", service) for service in SERVICES}
    assert [len(pods) for pods in before.values()] == [2, 2]
    office.hold.touch()
    both(lambda service: office.build(service, "v2"), *SERVICES)
    for service in SERVICES:
        office.wait_for_run(service, "migration of v2 on dev")
        pods = {pod["metadata"]["name"] for pod in office.pods("dev", service)}
        assert pods - before[service], "the migration runs, and no pod waits for it"
        assert office.serving("dev", service) == before[service]

    office.hold.unlink()
    for service in SERVICES:
        office.wait_until_replaced("dev", service, before[service])
        assert migrations(office, service, "dev") == ["v1", "v2"]


def migrations(office: Office, service: str, environment: str) -> list[str]:
    """The versions that migrated, in order."""
    words = [line.split() for line in office.runs(service)]
    return [of for what, _, of, _, where in words if (what, where) == ("migration", environment)]


def test_a_migration_that_fails_leaves_the_old_version_serving_and_says_so(
    office: Office, clone: Path
) -> None:
    deployment = clone / "base" / NAMESPACE / "invoices" / "deployment.yaml"
    untouched = deployment.read_text()
    assert "progressDeadlineSeconds: 360" in untouched
    deployment.write_text(untouched.replace("Seconds: 360", "Seconds: 20"))  # not six minutes
    commit_and_push(clone, "Say soon that a rollout does not come to its end")
    office.settle("dev", "invoices")
    before = office.serving("dev", "invoices")

    office.fail.touch()
    office.build("invoices", "v3")
    office.wait_for_run("invoices", "migration of v3 on dev")

    def silent() -> str:
        status = office.lab.argocd("dev").application("invoices", refresh=True)["status"]
        said = status["health"]["status"]
        return "" if said == "Degraded" else said

    wait_until_empty("the Application's word of it", silent, seconds=90)
    assert office.serving("dev", "invoices") == before
    (waiting,) = {pod["metadata"]["name"] for pod in office.pods("dev", "invoices")} - before
    log = office.lab.site.logs() / "pods" / f"dev-{NAMESPACE}-{waiting}.log"
    (job,) = failed_migrations(office)
    assert f"{job}: FAILED, so this version does not start" in log.read_text()
    assert migrations(office, "invoices", "dev") == ["v1", "v2", "v3"]

    office.fail.unlink()
    office.lab.kubectl("dev")("delete", f"--namespace={NAMESPACE}", f"job/{job}")
    wait_until_empty("a second try", lambda: office.serving("dev", "invoices") & before)
    pull(clone)
    deployment.write_text(untouched)
    commit_and_push(clone, "Wait for migrations as before")
    office.settle("dev", "invoices")
    assert migrations(office, "invoices", "dev") == ["v1", "v2", "v3", "v3"]


def failed_migrations(office: Office) -> list[str]:
    """Without what a schedule started meanwhile, which such a migration stops too."""
    found = office.lab.kubectl("dev").get("jobs", f"--namespace={NAMESPACE}")["items"]
    names = [job["metadata"]["name"] for job in found if job["status"].get("failed")]
    return [name for name in names if name.startswith("invoices-migrate-")]


def test_prod_migrates_at_an_approved_release_and_not_at_a_rollback(
    office: Office, clone: Path
) -> None:
    named = [word for service in SERVICES for word in ("--service", service)]
    promote = ("promote-to-prod.sh", "--from-dev", *named, "--yes")
    ship(office.lab, clone, *promote)
    assert [migrations(office, service, "prod") for service in SERVICES] == [[], []]
    both(office.approve, *SERVICES)
    last = {service: migrations(office, service, "dev")[-1] for service in SERVICES}
    before = {service: office.serving("prod", service) for service in SERVICES}
    both(lambda service: office.build(service, "v4"), *SERVICES)
    for service in SERVICES:
        assert migrations(office, service, "prod") == [last[service]]
        office.wait_for_run(service, "migration of v4 on dev")
        office.settle("dev", service)

    ship(office.lab, clone, *promote)
    office.hold.touch()
    for service in SERVICES:
        office.lab.argocd("prod").application(service, refresh=True)
        office.lab.argocd("prod").sync(service)
    for service in SERVICES:
        office.wait_for_run(service, "migration of v4 on prod")
        assert office.serving("prod", service) == before[service]
    office.hold.unlink()
    for service in SERVICES:
        office.wait_until_replaced("prod", service, before[service])

    ship(office.lab, clone, "rollback-prod.sh", *named, "--yes")
    both(office.approve, *SERVICES)
    for service in SERVICES:
        office.settle("prod", service)
        assert migrations(office, service, "prod") == [last[service], "v4"]


def test_a_process_runs_by_its_schedule(office: Office) -> None:
    office.wait_for_run("invoices", "minutely of v4 on dev")
    found = office.lab.kubectl("dev").get("cronjob/invoices-minutely", f"--namespace={NAMESPACE}")
    assert found["status"]["lastSuccessfulTime"]
    office.settle("dev", "invoices")
