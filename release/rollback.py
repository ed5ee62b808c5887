"""Planning a rollback: back to a state that the environment was in, and never forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Optional

from release.configuration import Environment
from release.context import Context
from release.deployed import (
    Deployed,
    Manifests,
    Place,
    deployed,
    rendered_manifests,
    select,
    short_version,
)
from release.errors import UNVERIFIED, Failure
from release.history import Event, events
from release.plan import ROLLBACK, Change, Plan, moved_by_hand
from release.registry import Images, describe
from release.versions import Running


class State(NamedTuple):
    """What an environment ran of a service: the version, and its manifests where Git has them."""

    running: Running
    rendered: Manifests
    commit: str
    """The release that made it so."""
    subject: str


class Way(NamedTuple):
    """Where a service would go back to."""

    deployed: Deployed
    runs: Running
    back: Optional[State]
    stays: bool = False
    """Whether what is asked for runs already."""
    is_forward: bool = False
    """Whether what is asked for ran, but is not before what runs now."""


def pile(history: Sequence[Event]) -> list[State]:
    """The states of one service of one environment, from the oldest; the last is the newest.

    Releases pile up. A rollback takes those above its state off the pile, so what was rolled back
    does not become the way back. Nor does what somebody took back by reverting its commit.
    """
    states: list[State] = []
    for event in reversed(history):
        if not event.now:
            continue
        if states and event.rendered and states[-1].rendered == event.rendered:
            continue  # only the version file was edited: that never ran
        # Where the manifests alone were edited, they still are those of the version before.
        edited = event.kind == "edit" and not event.carried_over and event.now == event.before
        running = states[-1].running if edited and states else event.now
        state = State(running, event.rendered, event.commit, event.subject)
        if event.carried_over:
            if states and states[-1].running == event.now:
                states[-1] = states[-1]._replace(rendered=event.rendered)
            continue
        if event.kind in ("rollback", "edit"):
            at = _find(states, state, exactly=event.kind == "edit")
            if at is not None:
                del states[at + 1 :]
                states[at] = state._replace(subject=states[at].subject or state.subject)
                continue
        if not states or states[-1][:2] != state[:2]:
            states.append(state)
    return states


def _runs(state: State, named: Running, rendered: Manifests) -> bool:
    """Whether `state` is what runs: the manifests say so, and only without any the version file."""
    if rendered and state.rendered:
        return state.rendered == rendered
    return state.running == named


def _find(states: Sequence[State], wanted: State, *, exactly: bool) -> Optional[int]:
    """The newest that is `wanted`, by its manifests or, where Git lacks those, by its version."""
    same = [n for n, state in enumerate(states) if state.running == wanted.running]
    exact = [n for n in same if states[n].rendered == wanted.rendered]
    if exactly:
        return exact[-1] if exact else None
    by_tag = [n for n, state in enumerate(states) if state.running.tag == wanted.running.tag]
    return next((found[-1] for found in (exact, same, by_tag) if found), None)


def way(
    there: Deployed, states: Sequence[State], rendered: Manifests, version: Optional[str]
) -> Way:
    """Where a service that is `there` goes back to: to `version`, or to the state before."""
    below = list(states)
    while below and _runs(below[-1], there.running, rendered):
        below.pop()
    top = states[-1] if len(below) < len(states) else None
    runs = top.running if top else there.running
    if version is None:
        return Way(there, runs, below[-1] if below else None)
    if top and runs.tag == version:
        # A hand may have moved the version file; otherwise there is nothing to do.
        moved = runs != there.running
        return Way(there, runs, top if moved else None, stays=not moved)
    fitting = [state for state in below if state.running.tag == version]
    return Way(there, runs, fitting[-1] if fitting else None)


class Rollback:
    """Makes the plan of a rollback, from the tip that the repository is at."""

    def __init__(
        self,
        context: Context,
        target: Environment,
        version: Optional[str],
        names: Sequence[str],
        offline: bool,
    ) -> None:
        self.context, self.target = context, target
        self.version, self.names, self.offline = version, names, offline

    def ways(self) -> dict[str, Way]:
        """By service (namespace/name), where each would go."""
        repository, environment = self.context.repository, self.target.name
        known = deployed(repository, repository.tip)
        services = select(known, environment, self.names, repository.branch)
        history = events(repository, repository.tip, services if self.names else None, environment)
        by_service: dict[str, list[Event]] = {service: [] for service in services}
        for event in history:
            if event.place.service in by_service:
                by_service[event.place.service].append(event)
        places = {service: Place(environment, service) for service in services}
        rendered_here = rendered_manifests(repository, repository.tip, places.values())
        found = {}
        for service, place in places.items():
            rendered, own = rendered_here[place], by_service[service]
            found[service] = way(known[place], pile(own), rendered, self.version)
            ran = any(event.now.tag == self.version for event in own)
            if self.version and ran and not found[service].back and not found[service].stays:
                found[service] = found[service]._replace(is_forward=True)
        return found

    def plan(self) -> Plan:
        """Raises Failure where a service that is named cannot go back."""
        everything = self.ways()
        going = {service: way for service, way in everything.items() if way.back}
        problems = self._without_way(everything)
        images = self._images(list(going))
        changes = []
        for service, way in going.items():
            change = self._change(service, way, images, problems)
            if change:
                changes.append(change)
        if problems:
            raise Failure(UNVERIFIED, "nothing was changed:", *problems)
        moved = {s: (w.deployed.running, w.runs) for s, w in going.items()}
        return Plan(self.target.name, ROLLBACK, changes, moved_by_hand(moved))

    def _without_way(self, ways: dict[str, Way]) -> list[str]:
        """The services of the request that have no way back."""
        without = {service: way for service, way in ways.items() if not way.back and not way.stays}
        if self.names:
            return [self._problem(service, way) for service, way in without.items()]
        if len(without) < len(ways):
            return []
        forward = [self._problem(service, way) for service, way in ways.items() if way.is_forward]
        if not forward:
            raise Failure(
                UNVERIFIED,
                f"{self.target.name} never ran {self.version}",
                f"what it ran: scripts/history.sh --environment {self.target.name}",
            )
        return forward

    def _problem(self, service: str, way: Way) -> str:
        environment, running = self.target.name, short_version(way.runs)
        if self.version is None:
            return f"{service}: there is no version before {running} to go back to"
        if way.is_forward:
            return (
                f"{service}: {self.version} is not before {running}, which runs; forward goes "
                f"scripts/promote-to-prod.sh {self.version} --service {service}"
            )
        return (
            f"{service}: {environment} never ran {self.version}; "
            "new versions come by scripts/promote-to-prod.sh"
        )

    def _images(self, services: Sequence[str]) -> dict[str, Images]:
        platform = self.context.repository.platform
        services = [service for service in services if not platform.is_foreign(service)]
        if self.offline or not services:
            return {}
        registry = self.context.registry
        found = registry.ask(services)
        silent = registry.silent(services)
        if silent:
            self.context.terminal.warn(f"the registry did not answer for {describe(silent)}")
            self.context.terminal.warn("continuing with the digests that Git records")
        return found

    def _change(
        self, service: str, way: Way, images: dict[str, Images], problems: list[str]
    ) -> Optional[Change]:
        if way.back is None:
            return None
        version, digest = way.back.running.tag, way.back.running.digest
        asked = images.get(service)
        image = asked.tagged(version) if asked else None
        if asked is not None and image is None:
            problems.append(
                f"{service}: the registry no longer has {version}; choose an older or newer version"
            )
            return None
        digest = digest or (image.digest if image else "")
        if not digest:
            problems.append(
                f"{service}: Git does not record the digest of {version}, and the registry was not "
                "asked"
            )
            return None
        if image and image.digest != digest:
            problems.append(
                f"{service}: {version} moved: {self.target.name} ran {digest}, "
                f"the registry now has {image.digest}"
            )
            return None
        return Change(
            place=Place(self.target.name, service),
            packaging=way.deployed.packaging,
            path=way.deployed.path,
            previous=short_version(way.runs),
            version=version,
            digest=digest,
            subject=way.back.subject,
            state=way.back.commit,
            rendered=way.back.rendered,
        )
