"""What a pull request would break: the check of the repository, which shares the release's code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from release import manifests, references
from release.context import Context
from release.deployed import Deployed, Manifests, Place, deployed, rendered_manifests
from release.history import Event, events
from release.manifests import Manifest
from release.patches import problems as patch_problems
from release.rendering import Rendered, Renderer, Wanted, export, folder_at, not_moving, refused
from release.repository import Repository


class _Change(NamedTuple):
    """What a pull request does to a service of a safe environment."""

    place: Place
    before: Manifests
    after: Manifests
    moved: bool
    """Whether the version did."""


class Check:
    """Compares a commit with the one that it is to be merged into."""

    def __init__(self, context: Context, base: Optional[str], head: str) -> None:
        """base: None where `head` is the first commit."""
        self.context, self.base, self.head = context, base, head
        self.repository: Repository = context.repository
        self.platform = self.repository.platform

    def problems(self) -> list[str]:
        """Everything that is wrong with `head`, a line each."""
        there = deployed(self.repository, self.head)
        wanted = [Wanted(*place, known.packaging) for place, known in there.items()]
        tree = self._tree("head", self.head)
        renderer = Renderer(self.context.processes, self.context.environ, self.platform, wanted)
        done = {
            Place(r.wanted.environment, r.wanted.service): r for r in renderer.render(tree, wanted)
        }
        found: list[str] = []
        for place, rendered in done.items():
            found += self._of_one(tree, place, rendered)
        found += self._immutable(there, done, renderer)
        found += self._by_hand(there, done)
        return found

    def _tree(self, name: str, commit: str) -> str:
        tree = os.path.join(self.context.folder, f"check-{name}")
        os.makedirs(tree)
        export(self.repository, commit, tree)
        return tree

    def _of_one(self, tree: str, place: Place, rendered: Rendered) -> Iterator[str]:
        name = f"{place.environment}/{place.service}"
        if rendered.complaint:
            yield f"{name} does not render: {rendered.complaint}"
            return
        if rendered.wanted.packaging == "kustomize":
            yield from patch_problems(tree, rendered.wanted.overlay, rendered.manifests)
        for problem in [
            *refused(self.platform, place.service, rendered.manifests),
            *not_moving(self.platform, rendered.wanted, rendered.manifests),
        ]:
            yield f"{name}: {problem}"
        if not self._is_safe(place):
            yield from references.problems(tree, rendered.wanted)

    def _immutable(
        self, there: Mapping[Place, Deployed], done: Mapping[Place, Rendered], renderer: Renderer
    ) -> Iterator[str]:
        """Objects that change what Kubernetes never changes: against what runs, or what ran."""
        safe = [place for place in done if self._is_safe(place)]
        runs = folder_at(self.repository, self.head, [place.rendered for place in safe])
        before: dict[Place, Sequence[Manifest]] = {
            place: runs[place.rendered] for place in safe if place.rendered in runs
        }
        if self.base is not None:
            old = deployed(self.repository, self.base)
            changed = [p for p in done if p not in before and p in old and self._is_changed(p)]
            wanted = [Wanted(*place, old[place].packaging) for place in changed]
            if wanted:
                rendered = renderer.render(self._tree("base", self.base), wanted)
                before.update(zip(changed, (r.manifests for r in rendered)))
        for place, manifests_before in before.items():
            for problem in manifests.immutable_problems(manifests_before, done[place].manifests):
                yield f"{place.environment}/{place.service}: {problem}"

    def _is_safe(self, place: Place) -> bool:
        environment = self.platform.environments.get(place.environment)
        return environment is not None and environment.safe

    def _is_changed(self, place: Place) -> bool:
        paths = (f"base/{place.service}", f"environments/{place.environment}/{place.service}")
        names = [f"{commit}:{path}" for commit in (self.base, self.head) for path in paths]
        found = self.repository.objects_of(names)
        return any(found[f"{self.base}:{p}"] != found[f"{self.head}:{p}"] for p in paths)

    # --- what only releases write

    def _by_hand(
        self, there: Mapping[Place, Deployed], done: Mapping[Place, Rendered]
    ) -> Iterator[str]:
        """Versions and rendered manifests of safe environments that no release made."""
        if self.base is None:
            return
        old = deployed(self.repository, self.base)
        places = sorted({p for p in [*there, *old] if self._is_safe(p)})
        trees = {c: rendered_manifests(self.repository, c, places) for c in (self.base, self.head)}
        known: Optional[list[Event]] = None
        for place in places:
            before, after = trees[self.base][place], trees[self.head][place]
            moved = place in old and place in there and old[place].running != there[place].running
            if before == after and not moved:
                continue
            if known is None:
                known = events(self.repository, self.head)
            change = _Change(place, before, after, moved)
            yield from self._release_of(change, known, done)

    def _release_of(
        self,
        change: _Change,
        known: Sequence[Event],
        done: Mapping[Place, Rendered],
    ) -> Iterator[str]:
        place, before, after, moved = change
        name = f"{place.environment}/{place.service}"
        remedy = "releases are made by scripts/promote-to-prod.sh and scripts/rollback-prod.sh"
        own = [event for event in known if event.place == place]
        if before == after:
            yield f"{name}: the version moved, and {place.rendered} did not; {remedy}"
            return
        if not after:
            if place in done:
                yield f"{name}: its rendered manifests were taken away; {remedy}"
            return
        if place not in done:
            yield f"{place.rendered}: there is no such service in environments/; {remedy}"
            return
        now = folder_at(self.repository, self.head, [place.rendered]).get(place.rendered, [])
        as_rendered = manifests.files(now) == done[place].files
        as_it_ran = any(e.rendered == after and e.commit != own[0].commit for e in own)
        if not as_rendered and not as_it_ran:
            yield (
                f"{place.rendered} is neither what base, overlay and version render to, nor what "
                f"ran; {remedy}"
            )
        elif own and own[0].kind == "edit" and not own[0].carried_over:
            yield f"{place.rendered} was changed by hand: no release records it; {remedy}"
        elif moved and before and own and own[0].kind == "edit":
            yield f"{name}: the version was moved by hand; {remedy}"
