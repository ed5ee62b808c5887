"""Random histories of a GitOps repository against a model of a few lines.

Versions are promoted and rolled back, by a push and by merges of every kind; hands edit overlays,
version files and rendered manifests; origin refuses pushes. What the scripts say and what they
write is what the model says. HISTORIES is the number of histories, 3 unless it is set.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.scripts.release_repository import (
    REMOTE,
    TV_API,
    TV_FRONTEND,
    UNVERIFIED,
    Build,
    ReleaseRepository,
    git,
    make_build,
    version_path,
    version_text,
)

SERVICES = (TV_API, TV_FRONTEND)
MOST = 8
"""Builds of a history: the rest of its steps is about what becomes of them."""
services = st.sampled_from(SERVICES)
landings = st.sampled_from(["push", "merge", "squash"])
newest = st.integers(min_value=0, max_value=3)
"""Which of the builds that dev ran, counted from the newest."""


@dataclass
class Service:
    """What the model knows of a service on prod."""

    ran: list[Build] = field(default_factory=list)
    """On dev, the newest last."""
    level: int = 0
    """Of its overlay on main."""
    stack: list[tuple[Build, str]] = field(default_factory=list)
    """The states that prod was in: a version, and what marks its manifests."""
    named: Build | None = None
    """What its version file names."""
    told: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Kind, version and version before of everything that happened to it, the newest last."""

    @property
    def state(self) -> tuple[Build, str] | None:
        return self.stack[-1] if self.stack else None

    def happens(self, kind: str, build: Build) -> None:
        self.told.append((kind, build.version, self.named.version if self.named else None))
        self.named = build


class Histories(RuleBasedStateMachine):
    """One history."""

    scaffold: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="histories."))
        self.releases = ReleaseRepository(self.root, self.scaffold)
        self.releases.render_plainly()
        self.model = {name: Service() for name in SERVICES}
        self.builds = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    # --- what happens

    @initialize()
    def begin(self) -> None:
        for service in SERVICES:
            self.build(service)
            self.build(service)

    @precondition(lambda self: self.builds < MOST)
    @rule(service=services)
    def build(self, service: str) -> None:
        self.builds += 1
        build = make_build(f"build {self.builds}", f"202611{self.builds:02}")
        self.releases.deliver(service, build)
        self.model[service].ran.append(build)

    @rule(service=services)
    def edit_the_overlay(self, service: str) -> None:
        known = self.model[service]
        known.level += 1
        path = f"environments/prod/{service}/deployment.yaml"
        text = self.releases.on_origin(path).partition("\n# level")[0]
        self.releases.edit({path: f"{text}\n# level {known.level}\n"}, f"Level {known.level}")

    @rule(service=services, which=newest)
    def move_the_version_file_by_hand(self, service: str, which: int) -> None:
        known = self.model[service]
        build = self.some(service, which)
        if known.named not in (None, build):
            self.releases.edit({version_path("prod", service): version_text(service, build)})
            known.happens("edit", build)

    @rule(service=services)
    def edit_the_rendered_manifests_by_hand(self, service: str) -> None:
        known = self.model[service]
        if known.state and known.named:
            build, marks = known.state
            path = f"rendered/prod/{service}/{self.manifest(service)}"
            self.releases.edit({path: self.releases.on_origin(path) + "\n# by hand\n"})
            known.stack.append((build, f"{marks}, by hand"))
            known.happens("edit", known.named)

    @rule(service=services, which=newest, landing=landings)
    def promote(self, service: str, which: int, landing: str) -> None:
        build = self.some(service, which)
        self.expect_promotion(
            {service: build}, landing, build.version, "--service", service, "--yes"
        )

    @rule(landing=landings)
    def promote_what_dev_runs(self, landing: str) -> None:
        moving = {
            service: known.ran[-1]
            for service, known in self.model.items()
            if self.is_moved_by_hand(known) or (known.named != known.ran[-1])
        }
        self.expect_promotion(moving, landing, "--from-dev", "--yes")

    @rule(service=services)
    def roll_back(self, service: str) -> None:
        known = self.model[service]
        below = known.stack[:-1]
        ran = self.releases.rollback("--service", service, "--yes")
        if not below:
            assert (ran.code, "no version before" in ran.err) == (UNVERIFIED, True), ran.said
            return
        assert ran.code == 0, ran.said
        known.stack = below
        known.happens("rollback", below[-1][0])

    @rule(service=services, which=newest)
    def roll_back_to(self, service: str, which: int) -> None:
        known, build = self.model[service], self.some(service, which)
        ran = self.releases.rollback(build.version, "--service", service, "--yes")
        below = [n for n, (there, _) in enumerate(known.stack[:-1]) if there == build]
        if known.state and known.state[0] == build:
            if known.named == build:
                assert (ran.code, ran.out) == (0, "already up to date\n"), ran.said
                return
            assert (ran.code, "only its version file" in ran.out) == (0, True), ran.said
        elif not below:
            assert ran.code == UNVERIFIED, ran.said
            never = build.version not in {version for _, version, _ in known.told}
            assert ("never ran" if never else "is not before") in ran.err, ran.said
            return
        else:
            assert ran.code == 0, ran.said
            del known.stack[below[-1] + 1 :]
        known.happens("rollback", build)

    @rule(service=services)
    def promote_while_origin_refuses(self, service: str) -> None:
        known = self.model[service]
        build = known.ran[-1]
        before = self.releases.snapshot()
        self.releases.hook("pre-receive", "exit 1")
        ran = self.releases.promote(build.version, "--service", service, "--yes")
        (self.releases.origin / "hooks" / "pre-receive").unlink()
        nothing = known.state == (build, f"level {known.level}") and known.named == build
        assert ran.code == (0 if nothing else REMOTE), ran.said
        assert self.releases.snapshot() == before

    # --- what the scripts say

    @invariant()
    def the_history_is_what_happened(self) -> None:
        rows = self.releases.history("--environment", "prod")
        for service, known in self.model.items():
            own = [row for row in rows if row["service"] == service]
            told = [(row["kind"], row["version"], row["previous"]) for row in reversed(own)]
            assert told == known.told

    @invariant()
    def the_list_of_ways_back_is_the_stack(self) -> None:
        ran = self.releases.rollback()
        told = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if "/" in line}
        for service, known in self.model.items():
            names = [build.version for build, _ in known.stack[:-3:-1]]
            runs, back = [*names, *["none", "-"][len(names) :]][:2]
            assert told[service] == [runs, back], ran.said

    @invariant()
    def the_manifests_are_those_of_the_state(self) -> None:
        for service, known in self.model.items():
            if known.state is None or known.named is None:
                continue
            build, marks = known.state
            text = self.releases.on_origin(f"rendered/prod/{service}/{self.manifest(service)}")
            assert f"{build.version}@{build.digest}" in text
            level = int(marks.split()[1].strip(","))
            assert (f"# # level {level}" in text) is (level > 0)
            assert text.count("# by hand") == marks.count("by hand")
            assert self.releases.runs("prod", service) == version_text(service, known.named)

    # --- what they share

    def some(self, service: str, which: int) -> Build:
        ran = self.model[service].ran
        return ran[max(0, len(ran) - 1 - which)]

    @staticmethod
    def is_moved_by_hand(known: Service) -> bool:
        return bool(known.told) and known.told[-1][0] == "edit"

    @staticmethod
    def manifest(service: str) -> str:
        return f"deployment-{service.rpartition('/')[2]}.yaml"

    def expect_promotion(self, builds: dict[str, Build], landing: str, *words: str) -> None:
        """Promotes; what is not so already lands in that way."""
        moving = {
            service: build
            for service, build in builds.items()
            if self.model[service].state != (build, f"level {self.model[service].level}")
            or self.model[service].named != build
        }
        tip = self.releases.tip
        ran = self.releases.promote(*words)
        assert ran.code == 0, ran.said
        assert (self.releases.tip == tip) is not bool(moving), ran.said
        for service, build in moving.items():
            known = self.model[service]
            state = (build, f"level {known.level}")
            if known.state != state:
                known.stack.append(state)
            known.happens("promotion", build)
        if moving:
            self.land(tip, landing)

    def land(self, before: str, landing: str) -> None:
        """The release as it looks when it came by a pull request."""
        origin, commit = self.releases.origin, self.releases.tip
        if landing == "push":
            return
        message = git(origin, "log", "-1", "--format=%B", commit)
        parents, words = (
            ["-p", before],
            f"{message.splitlines()[0]} (#7)\n\n{message}\n\nReviewed-by: Bo",
        )
        if landing == "merge":
            parents, words = [*parents, "-p", commit], "Merge pull request #7 from acme/release"
        person = ("-c", "user.name=Host", "-c", "user.email=host@acme.example")
        merged = git(origin, *person, "commit-tree", *parents, "-m", words, f"{commit}^{{tree}}")
        git(origin, "update-ref", "refs/heads/main", merged, commit)
        git(self.releases.clone, "fetch", "--quiet", str(origin), "+main:refs/remotes/origin/main")
        git(self.releases.clone, "reset", "--quiet", "--hard", "origin/main")


def test_what_the_scripts_say_of_random_histories_is_what_the_model_says(
    scaffold_repository: Path,
) -> None:
    Histories.scaffold = scaffold_repository
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=int(os.environ.get("HISTORIES", "3")),
            stateful_step_count=12,
            deadline=None,
            derandomize="HISTORIES" not in os.environ,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
