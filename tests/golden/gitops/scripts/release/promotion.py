# Managed: generated, so change services.yaml or the stack files instead.
"""Planning a promotion: which version of which service, and whether it may be released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Optional

from release.configuration import Environment
from release.context import Context
from release.deployed import Deployed, Place, deployed, select, short_version
from release.errors import UNVERIFIED, Failure
from release.gate import Asked, Evidence, findings_problems, prove
from release.history import Event, applied, events
from release.plan import PROMOTION, Change, Plan, moved_by_hand
from release.registry import Images
from release.versions import NOTHING, Running, is_digest, is_version, require_version

_MANY = 16
_NAMED = 5


class Request(NamedTuple):
    """What the person asked for."""

    version: Optional[str]
    names: Sequence[str]
    from_dev: bool
    configuration: bool
    """Whether promoting all that dev runs includes services whose version stays."""
    asked: Asked
    yes: bool


class Promotion:
    """Makes the plan of a request, from the tip that the repository is at."""

    def __init__(self, context: Context, target: Environment, request: Request) -> None:
        self.context, self.request = context, request
        self.platform = context.repository.platform
        self.fast, self.target = self.platform.fast, target
        self.problems: list[str] = []

    def plan(self) -> Plan:
        """Raises Failure where something that was asked for cannot be released."""
        repository = self.context.repository
        self.deployed = deployed(repository, repository.tip)
        self.services = select(
            self.deployed, self.target.name, self.request.names, repository.branch
        )
        self.events = events(
            repository, repository.tip, self.services if self.request.names else None
        )
        self.own: dict[str, list[Event]] = {}
        for event in self.events:
            self.own.setdefault(event.place.service, []).append(event)
        notes: list[str] = []
        wanted = self._wanted(notes)
        for service, version in wanted.items():
            require_version(version, foreign=self.platform.is_foreign(service))
        self._refuse_problems()
        same = {s for s, version in wanted.items() if self._runs_already(s, version)}
        if self.request.from_dev and not self.request.names and not self.request.configuration:
            wanted = {s: v for s, v in wanted.items() if s not in same}
            notes += self._left_out(same)
        moving = [s for s in wanted if s not in same and not self.platform.is_foreign(s)]
        images: dict[str, Images] = {}
        if moving and not self.request.asked.offline:
            images = self.context.registry.require(moving)
        changes = []
        for service, version in wanted.items():
            change = self._change(service, version, service in same, images.get(service))
            if change:
                changes.append(change)
        if not self.request.asked.offline and not self.request.asked.accepted:
            digests = {c.place.service: c.digest for c in changes if c.place.service in moving}
            self.problems += findings_problems(self.context.registry, self.target.refuse, digests)
        self._refuse_problems()
        moved = {s: (self._in_target(s).running, self._runs(s)) for s in wanted}
        notes += moved_by_hand(moved)
        return Plan(self.target.name, PROMOTION, changes, notes, self.request.asked.accepted)

    def _refuse_problems(self) -> None:
        if self.problems:
            raise Failure(UNVERIFIED, "nothing was changed:", *self.problems)

    # --- what is wanted

    def _wanted(self, notes: list[str]) -> dict[str, str]:
        moving = [service for service in self.services if self._follows_tag(service)]
        if self.request.from_dev:
            return self._what_dev_runs(moving)
        version = self.request.version or ""
        if self.request.names:
            return dict.fromkeys(self.services, version)
        return self._what_has(version, moving, notes)

    def _follows_tag(self, service: str) -> bool:
        there = self.deployed.get(Place(self.fast.name, service))
        return there is not None and there.running.tag == (self.fast.moving_tag or self.fast.name)

    def _what_dev_runs(self, moving: Sequence[str]) -> dict[str, str]:
        fast, named = self.fast.name, bool(self.request.names)
        images: dict[str, Images] = {}
        if moving:
            if self.request.asked.offline:
                raise Failure(
                    UNVERIFIED,
                    "only the registry knows which version Keel delivered: "
                    f"{' '.join(moving[:_NAMED])}",
                    "leave out --offline, or name other services",
                )
            images = self.context.registry.require(moving)
        wanted = {}
        for service in self.services:
            there = self.deployed.get(Place(fast, service))
            running = there.running if there else NOTHING
            if service in moving:
                image = images[service].tagged(running.tag)
                if image and image.versions:
                    wanted[service] = image.versions[0]
                elif image:
                    self.problems.append(
                        f"{service}: the image behind the tag {running.tag} has no version"
                    )
                elif named:
                    self.problems.append(f"{service}: {fast} has not run any version yet")
            elif self.platform.is_version_of(service, running.tag):
                wanted[service] = running.tag
            elif running or not running.readable:
                what = running.tag if running else "what its version file does not tell"
                self.problems.append(f"{service}: {fast} runs {what}, which is not a version")
            elif named:
                self.problems.append(f"{service}: {fast} has not run any version yet")
        return wanted

    def _what_has(self, version: str, moving: Sequence[str], notes: list[str]) -> dict[str, str]:
        """Every service that was built as the version, by Git or by the registry."""
        having = {e.place.service for e in self.events if e.now.tag == version}
        here = {service for service in self.services if service in having}
        absent = sorted(
            service for service in having - here if Place(self.fast.name, service) in self.deployed
        )
        if absent:
            notes.append(
                f"left out, because {self.target.name} does not have them: {', '.join(absent)}"
            )
        if len(moving) > _MANY:
            self.context.terminal.note(
                f"the registry was not asked about {len(moving)} services that Keel delivers: "
                "name those you mean"
            )
        elif moving and not self.request.asked.offline:
            images = self.context.registry.require(moving)
            here |= {service for service in moving if images[service].tagged(version)}
        if not here:
            raise Failure(
                UNVERIFIED,
                f"no service has the version {version}",
                "list them: scripts/promote-to-prod.sh; a version that never ran on "
                f"{self.fast.name} needs --service",
                *notes,
            )
        return dict.fromkeys(sorted(here), version)

    def _left_out(self, services: Iterable[str]) -> Iterator[str]:
        """Says whose base or overlay changed since the release of the version that stays."""
        repository = self.context.repository
        names = {
            service: [
                (f"{last.commit}:{path}", f"{repository.tip}:{path}")
                for path in (f"base/{service}", f"environments/{self.target.name}/{service}")
            ]
            for service in sorted(services)
            if (last := self._last_release(service))
        }
        found = repository.objects_of(n for pairs in names.values() for pair in pairs for n in pair)
        changed = [
            service
            for service, pairs in names.items()
            if any(found[old] != found[new] for old, new in pairs)
        ]
        if changed:
            yield (
                f"left out, because only their base or overlay changed: {', '.join(changed)}; "
                "to bring that too: --configuration"
            )

    # --- one service

    def _in_target(self, service: str) -> Deployed:
        return self.deployed[Place(self.target.name, service)]

    def _runs_already(self, service: str, version: str) -> bool:
        """Whether the version file names exactly what a release would write."""
        running = self._in_target(service).running
        if running.tag != version or not is_digest(running.digest):
            return False
        on_fast = {
            e.now.digest
            for e in self._own(service, self.fast.name)
            if e.now.tag == version and e.kind != "edit"
        }
        return self._last_release(service) is not None and (
            not on_fast or running.digest in on_fast
        )

    def _last_release(self, service: str) -> Optional[Event]:
        """What put there what runs, unless it was an edit by hand."""
        last = next((e for e in self._own(service, self.target.name) if not e.carried_over), None)
        return last if last is not None and last.kind != "edit" else None

    def _own(self, service: str, environment: str) -> list[Event]:
        return [e for e in self.own.get(service, ()) if e.place.environment == environment]

    def _runs(self, service: str) -> Running:
        return applied(self._own(service, self.target.name), self._in_target(service).running)

    def _change(
        self, service: str, version: str, same: bool, images: Optional[Images]
    ) -> Optional[Change]:
        there = self._in_target(service)
        runs = self._runs(service)
        own = self.own.get(service, ())
        evidence = Evidence(service, self.platform, own, images, self._follows_tag(service))
        change = Change(
            place=Place(self.target.name, service),
            packaging=there.packaging,
            path=there.path,
            previous=short_version(runs),
            version=version,
            digest=there.running.digest,
            subject=evidence.subject(version),
        )
        if same:
            return change
        proof = prove(evidence, version, self.request.asked, self.platform, self.problems)
        if proof is None:
            return None
        ordered = is_version(runs.tag) and is_version(version)
        goes_back = ordered and evidence.is_newer(runs.tag, version)
        if goes_back and self.request.from_dev and self.request.yes:
            self.problems.append(
                f"{service}: {self.target.name} runs {runs.tag}, which is newer than "
                f"{version} on {self.fast.name}; to go back, name the version: "
                f"scripts/promote-to-prod.sh {version} --service {service}"
            )
        return change._replace(
            digest=proof.digest,
            untested=proof.untested,
            unverified=proof.unverified,
            hotfix=proof.hotfix,
            goes_back=goes_back,
        )
