"""Releases in the running lab: from a pipeline to dev, from dev to prod, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lab.gitops_checkout import commit_and_push, git, pull
from lab.images import digest_of, tags
from lab.kubectl import KubectlError
from lab.tests.environment.conftest import Lab
from lab.up import approve, up_and_push
from lab.waiting import wait_until_empty

TV_API, TV_FRONTEND = "streaming/tv-api", "streaming/tv-frontend"
"""Delivered by commits."""
TOURNAMENTS = "community/tournaments"
"""Delivered by Keel."""

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a pipeline pushed for one commit."""

    version: str
    digest: str
    image: str
    """As a Deployment names it: at the version, held by the digest."""


@pytest.fixture
def clone(lab: Lab, tmp_path: Path) -> Path:
    """A releaser's clone of the GitOps repository."""
    return lab.clone(tmp_path / "gitops")


def name_of(service: str) -> str:
    return service.partition("/")[2]


def build(lab: Lab, service: str, subject: str) -> Build:
    """Commits a change to a service and runs its pipeline."""
    commit = lab.builds.commit(name_of(service), subject)
    lab.builds.pipeline(name_of(service), commit)
    return build_of(lab, service, commit)


def build_of(lab: Lab, service: str, commit: str) -> Build:
    """What the registry has for a commit."""
    registry = lab.site.registry_host
    (version,) = [tag for tag in tags(registry, service) if tag.endswith(f"-{commit[:7]}")]
    digest = digest_of(registry, service, version)
    assert digest is not None
    return Build(version=version, digest=digest, image=f"{registry}/{service}:{version}@{digest}")


def live(lab: Lab, environment: str, service: str) -> str:
    """The image of the service's Deployment; empty where there is none."""
    namespace, name = service.split("/")
    try:
        found = lab.kubectl(environment).get(f"--namespace={namespace}", f"deployment/{name}")
    except KubectlError:
        return ""
    (container,) = found["spec"]["template"]["spec"]["containers"]
    image: str = container["image"]
    return image


def running(lab: Lab, environment: str, service: str) -> Build:
    """What the service's Deployment names."""
    image = live(lab, environment, service)
    tagged, _, digest = image.partition("@")
    return Build(version=tagged.rpartition(":")[2], digest=digest, image=image)


def wait_until_live(lab: Lab, environment: str, service: str, wanted: Build) -> None:
    def other() -> str:
        image = live(lab, environment, service)
        return "" if image == wanted.image else f"it runs {image or 'nothing'}"

    wait_until_empty(f"{wanted.image} on {environment}", other, seconds=90)


def ship(lab: Lab, clone: Path, *words: str) -> str:
    """Runs a release script, which must succeed; returns what it printed."""
    done = lab.script(clone, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def history(lab: Lab, clone: Path, service: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(
        ship(lab, clone, "history.sh", "--json", "--service", name_of(service))
    )
    return told


def tip(lab: Lab) -> str:
    """The commit of the GitOps repository that Argo CD reads."""
    return git(lab.site.home, "ls-remote", lab.site.gitops_url, "refs/heads/main")


def require_waiting(lab: Lab, service: str, image: str) -> None:
    """Argo CD of prod has seen that something changed, and prod still runs `image`."""
    api = lab.argocd("prod")

    def unseen() -> str:
        sync: str = api.application(name_of(service), refresh=True)["status"]["sync"]["status"]
        return "" if sync == "OutOfSync" else sync

    wait_until_empty(f"prod's notice of the release of {service}", unseen, seconds=60)
    assert live(lab, "prod", service) == image, "nobody approved, and yet prod moved"


def both(do: Callable[[str], Result], *services: str) -> list[Result]:
    """`do` for every service, at the same moment."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(do, services))


def test_a_committed_build_is_promoted_approved_rolled_back_and_told_about(
    lab: Lab, clone: Path
) -> None:
    approve(lab.site, "prod", "tv-api")
    before = live(lab, "prod", TV_API)
    built = build(lab, TV_API, "Answer faster")
    wait_until_live(lab, "dev", TV_API, built)

    listed = ship(lab, clone, "promote-to-prod.sh", "--service", "tv-api").splitlines()
    newest = next(line for line in listed if line.strip().startswith("v"))
    assert newest.split()[0] == built.version
    assert " dev " in newest
    assert newest.endswith("Answer faster")
    marked = next(line for line in listed if " prod " in line)
    assert marked.split()[0] in before

    commit = tip(lab)
    promote = ("promote-to-prod.sh", built.version, "--service", "tv-api")
    shown = ship(lab, clone, *promote, "--dry-run")
    assert f"image: {built.image}" in shown
    assert tip(lab) == commit
    assert git(clone, "status", "--porcelain") == ""

    ship(lab, clone, *promote, "--yes")
    require_waiting(lab, TV_API, before)
    approve(lab.site, "prod", "tv-api")
    assert live(lab, "prod", TV_API) == built.image
    assert "already up to date" in ship(lab, clone, *promote, "--yes")

    other = build(lab, TV_FRONTEND, "A warmer dark")
    wait_until_live(lab, "dev", TV_FRONTEND, other)
    ship(lab, clone, "promote-to-prod.sh", "--from-dev", "--service", "tv-frontend", "--yes")
    approve(lab.site, "prod", "tv-frontend")

    ship(lab, clone, "rollback-prod.sh", "--service", "tv-api", "--yes")
    require_waiting(lab, TV_API, built.image)
    approve(lab.site, "prod", "tv-api")
    assert live(lab, "prod", TV_API) == before

    up_and_push(lab.site, lab.program, "prod")
    approve(lab.site, "prod", "tv-api")
    assert live(lab, "prod", TV_API) == before
    assert live(lab, "prod", TV_FRONTEND) == other.image
    assert live(lab, "dev", TV_API) == built.image

    rolled_back, promoted, delivered = history(lab, clone, TV_API)[:3]
    engineer = "Platform Engineer <platform@acme.example>"
    assert [event["kind"] for event in (rolled_back, promoted, delivered)] == [
        "rollback",
        "promotion",
        "build",
    ]
    assert [event["environment"] for event in (rolled_back, promoted, delivered)] == [
        "prod",
        "prod",
        "dev",
    ]
    assert rolled_back["version"] in before
    assert rolled_back["previous"] == promoted["version"] == delivered["version"] == built.version
    assert promoted["digest"] == delivered["digest"] == built.digest
    assert rolled_back["by"] == promoted["by"] == engineer
    assert delivered["by"] == "Devon Developer <devon@acme.example>"
    assert promoted["untested"] is False
    assert promoted["subject"] == delivered["subject"] == "Answer faster"


def test_the_version_promoted_of_what_keel_delivers_is_the_one_behind_the_moving_tag(
    lab: Lab, clone: Path
) -> None:
    approve(lab.site, "prod", "tournaments")
    before = live(lab, "prod", TOURNAMENTS)
    built = build(lab, TOURNAMENTS, "Fairer pairings")
    registry = lab.site.registry_host
    assert digest_of(registry, TOURNAMENTS, "dev") == built.digest
    assert live(lab, "dev", TOURNAMENTS) == f"{registry}/{TOURNAMENTS}:dev"

    ship(lab, clone, "promote-to-prod.sh", "--from-dev", "--service", "tournaments", "--yes")
    require_waiting(lab, TOURNAMENTS, before)
    approve(lab.site, "prod", "tournaments")
    assert live(lab, "prod", TOURNAMENTS) == built.image

    ship(lab, clone, "rollback-prod.sh", "--service", "tournaments", "--yes")
    approve(lab.site, "prod", "tournaments")
    assert live(lab, "prod", TOURNAMENTS) == before


def test_two_builds_and_then_two_promotions_at_the_same_moment_all_land(
    lab: Lab, tmp_path: Path
) -> None:
    services = (TV_API, TV_FRONTEND)
    first, second = both(lambda service: build(lab, service, "Both at once"), *services)
    wait_until_live(lab, "dev", TV_API, first)
    wait_until_live(lab, "dev", TV_FRONTEND, second)

    clones = {service: lab.clone(tmp_path / name_of(service)) for service in services}
    start = tip(lab).split()[0]

    def promote(service: str) -> str:
        words = ("--from-dev", "--service", service, "--yes")
        return ship(lab, clones[service], "promote-to-prod.sh", *words)

    both(promote, *services)
    watcher = clones[TV_API]
    pull(watcher)
    assert git(watcher, "rev-list", "--count", f"{start}..HEAD").strip() == "2"
    both(lambda service: approve(lab.site, "prod", name_of(service)), *services)
    assert live(lab, "prod", TV_API) == first.image
    assert live(lab, "prod", TV_FRONTEND) == second.image


def test_a_second_run_of_a_commit_overwrites_nothing_and_an_older_commit_moves_nothing_back(
    lab: Lab, clone: Path
) -> None:
    older = lab.builds.commit("tv-frontend", "The older one, whose build is slow")
    newer = lab.builds.commit("tv-frontend", "The newer one")
    lab.builds.pipeline("tv-frontend", newer)
    built = build_of(lab, TV_FRONTEND, newer)
    wait_until_live(lab, "dev", TV_FRONTEND, built)
    commit = tip(lab)

    said = lab.builds.pipeline("tv-frontend", newer)
    assert "nothing is overwritten" in said
    assert build_of(lab, TV_FRONTEND, newer) == built

    said = lab.builds.pipeline("tv-frontend", older)
    late = build_of(lab, TV_FRONTEND, older)
    assert late.digest != built.digest
    assert f"dev stays on {built.version}, which is newer than {late.version}" in said
    assert f"dev already runs {built.version}, which is newer than {late.version}" in said
    assert digest_of(lab.site.registry_host, TV_FRONTEND, "dev") == built.digest
    assert tip(lab) == commit
    assert live(lab, "dev", TV_FRONTEND) == built.image

    refused = lab.script(clone, "promote-to-prod.sh", late.version, "--service=tv-frontend")
    assert refused.returncode != 0
    assert tip(lab) == commit


EDITED = "environments/dev/streaming/tv-frontend/deployment.yaml"
DELETED = "base/streaming/tv-frontend/ingress.yaml"
GENERATED = "environments/dev/README.md"
HAND_MADE = "base/streaming/tv-frontend/cronjob.yaml"


@pytest.fixture
def checkout(lab: Lab) -> Iterator[Path]:
    """The checkout that `pulumi up` writes into, afterwards as it was."""
    folder = lab.site.gitops_checkout
    pull(folder)
    yield folder
    (folder / HAND_MADE).unlink()
    git(folder, "checkout", "--", EDITED, DELETED)
    commit_and_push(folder, "Scaffold of dev, as pulumi up wrote it")


def test_up_keeps_what_a_team_made_of_its_files_says_so_and_does_the_rest(
    lab: Lab, checkout: Path
) -> None:
    mine = (checkout / EDITED).read_text().replace("replicas: 1", "replicas: 5")
    (checkout / EDITED).write_text(mine)
    (checkout / HAND_MADE).write_text("kind: CronJob\n")
    (checkout / DELETED).unlink()
    (checkout / GENERATED).unlink()

    kept = (
        f"= {EDITED}: edited; kept",
        f"= {DELETED}: deleted by the team; stays deleted",
    )
    preview = lab.program.read("preview", stack="dev")
    for line in (f"+ {GENERATED}", *kept):
        assert line in preview
    assert HAND_MADE not in preview
    assert not (checkout / GENERATED).exists()

    said = lab.program.read("up", "--yes", "--skip-preview", stack="dev")
    for line in kept:
        assert line in said
    assert (checkout / EDITED).read_text() == mine
    assert (checkout / HAND_MADE).read_text() == "kind: CronJob\n"
    assert not (checkout / DELETED).exists()
    assert (checkout / GENERATED).exists()
    assert lab.program.changes("dev") == {}
