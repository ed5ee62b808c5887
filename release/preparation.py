"""What a plan does to the tree: version files and rendered manifests, and what is refused of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Optional

from release import manifests, versions
from release.context import Context
from release.deployed import Place
from release.errors import UNVERIFIED, Failure
from release.manifests import Manifest, ManifestError
from release.patches import problems as patch_problems
from release.plan import PROMOTION, Change, Plan
from release.rendering import Rendered, Renderer, Wanted, export, folder_at, refused
from release.repository import Entry

_FOLDER = len(("rendered", "environment", "namespace", "service"))


@dataclass
class Prepared:
    """What a plan does to the tree."""

    plan: Plan
    files: dict[str, Optional[str]]
    """The objects to write, by path; None where a file goes."""
    tree: str = ""
    """The tree with them; empty where it was not needed yet."""
    shown: list[str] = field(default_factory=list)
    """The difference in what is rendered."""
    notes: list[str] = field(default_factory=list)


class Preparation:
    """Prepares the plans of one run."""

    def __init__(self, context: Context) -> None:
        self.context, self.repository = context, context.repository
        self.terminal = context.terminal
        self._patches: dict[str, list[str]] = {}
        """What is wrong with the patches of what was rendered last, by its folder."""
        self._trees = 0

    def versions_only(self, plan: Plan) -> Prepared:
        """The version files of a plan whose environment is rendered by Argo CD."""
        return Prepared(plan, {c.path: self._version_file(c) for c in plan.changes})

    def _version_file(self, change: Change) -> str:
        platform = self.repository.platform
        image = platform.image(
            platform.environments[change.place.environment], change.place.service
        )
        text = versions.file_text(change.packaging, image, change.version, change.digest)
        return self.repository.write([text.encode()])[0]

    def prepare(self, plan: Plan) -> Prepared:
        """Version files and rendered manifests, without what is as it should be. Raises Failure."""
        if not plan.changes:
            return Prepared(plan, {})
        changes = list(plan.changes)
        before = folder_at(
            self.repository, self.repository.tip, [c.place.rendered for c in changes]
        )
        notes: list[str] = []
        after = self._after(plan, notes)
        missing = [c for c in changes if c.place.rendered not in before and c.previous != "none"]
        known = self._as_it_renders(missing, notes)
        self._refuse(plan, before | known, after, notes)
        objects = self._write(changes, after)
        there = self._there(changes)
        files: dict[str, Optional[str]] = {}
        moving: list[Change] = []
        for change in changes:
            own, standing = objects[change.place], there[change.place]
            now = {path: entry.object for path, entry in standing.items()}
            as_before = known.get(change.place.rendered)
            if now == own and all(entry.is_file for entry in standing.values()):
                continue
            if (
                as_before is not None
                and _same(as_before, after[change.place.rendered])
                and (now.get(change.path) == own[change.path])
            ):
                continue
            if {**now, change.path: ""} == {**own, change.path: ""}:
                notes.append(f"{change.place.service}: only its version file is written anew")
            moving.append(change)
            files.update({path: None for path in now if path not in own})
            files.update(own)
        prepared = Prepared(plan._replace(changes=moving), files, notes=notes)
        if moving:
            prepared.tree = self.repository.tree_with(self.repository.tip, files)
            prepared.shown = self._difference(prepared, known)
        return prepared

    def _write(
        self, changes: Sequence[Change], after: dict[str, list[Manifest]]
    ) -> dict[Place, dict[str, str]]:
        """The objects of version file and manifests of each place, by path."""
        platform = self.repository.platform
        texts: dict[str, bytes] = {}
        paths: dict[Place, list[str]] = {}
        for change in changes:
            place = change.place
            image = platform.image(platform.environments[place.environment], place.service)
            version = versions.file_text(change.packaging, image, change.version, change.digest)
            own = {change.path: version.encode()}
            for name, content in manifests.files(after[place.rendered]).items():
                own[f"{place.rendered}/{name}"] = content.encode("utf-8", "surrogateescape")
            texts |= own
            paths[place] = list(own)
        objects = dict(zip(texts, self.repository.write(list(texts.values()))))
        return {place: {path: objects[path] for path in own} for place, own in paths.items()}

    def _there(self, changes: Sequence[Change]) -> dict[Place, dict[str, Entry]]:
        """What stands on the tip where a release of each place writes, by path."""
        folders = {change.place.rendered: change.place for change in changes}
        files = {change.path: change.place for change in changes}
        found: dict[Place, dict[str, Entry]] = {place: {} for place in folders.values()}
        for path, entry in self.repository.entries(self.repository.tip, *folders, *files).items():
            # What a release wrote below the folder it takes away; nothing else.
            manifest = path.endswith((".yaml", ".yml", ".json"))
            folder = "/".join(path.split("/")[:_FOLDER]) if manifest else ""
            place = files.get(path) or folders.get(folder)
            if place and entry.kind != "tree":
                found[place][path] = entry
        return found

    def _after(self, plan: Plan, notes: list[str]) -> dict[str, list[Manifest]]:
        """What each service will run, by the folder that it is rendered into. Raises Failure."""
        coming_back = [c for c in plan.changes if c.rendered]
        anew = [c for c in plan.changes if not c.rendered and not c.state]
        older = [c for c in plan.changes if not c.rendered and c.state]
        found: dict[str, list[Manifest]] = {}
        for change in coming_back:
            as_it_ran = self._as_it_ran(change)
            if self._image_problem(change, as_it_ran[change.place.rendered]):
                # The version was moved without a release: its manifests are not those in Git.
                older.append(change)
                continue
            found |= as_it_ran
            notes += self._moved_since(change)
        found |= self._render(anew, self.repository.tip)
        for change in older:
            try:
                found |= self._render([change], change.state or "")
                notes += self._moved_since(change)
            except Failure:
                found |= self._render([change], self.repository.tip)
                notes.append(
                    f"{change.place.service}: what ran with {change.version} does not render any "
                    "more; this is the version with the base and overlay of today"
                )
        return found

    def _as_it_ran(self, change: Change) -> dict[str, list[Manifest]]:
        """The manifests of a state that Git has rendered."""
        contents = self.repository.read(name for _, name in change.rendered)
        found: list[Manifest] = []
        for path, name in change.rendered:
            try:
                found += manifests.read((contents[name] or b"").decode("utf-8", "replace"))
            except ManifestError as error:
                raise Failure(
                    UNVERIFIED,
                    f"{change.place.service}: {path} of {change.version} is damaged: {error}",
                    "nothing was changed; go back to another version, or promote one",
                ) from error
        return {change.place.rendered: found}

    def _moved_since(self, change: Change) -> list[str]:
        """Says that base or overlay moved on since the state that comes back."""
        service, environment = change.place.service, change.place.environment
        overlay = f"environments/{environment}/{service}"
        trees = [
            {
                path: entry.object
                for path, entry in self.repository.entries(c, f"base/{service}", overlay).items()
                if entry.kind != "tree" and not path.startswith(f"{overlay}/version/")
            }
            for c in (change.state or "", self.repository.tip)
        ]
        if trees[0] == trees[1]:
            return []
        return [
            f"{service}: base or overlay moved on since {change.version} ran here; the rollback "
            "brings back what ran, and the next promotion brings those changes again"
        ]

    def _render(self, changes: Sequence[Change], commit: str) -> dict[str, list[Manifest]]:
        """Renders services from the files of a commit, with their new versions. Raises Failure."""
        if not changes:
            return {}
        wanted = [Wanted(c.place.environment, c.place.service, c.packaging) for c in changes]
        renderer = self._renderer(wanted)
        done = self._try(renderer, changes, wanted, commit, wanted)
        if any(rendered.complaint for rendered in done):
            # Perhaps a service builds on files of another one.
            done = self._try(renderer, changes, wanted, commit, None)
        complaints = [rendered for rendered in done if rendered.complaint]
        for rendered in complaints:
            self.terminal.note(
                f"{rendered.wanted.environment}/{rendered.wanted.service} does not render:"
            )
            for line in rendered.complaint.splitlines():
                self.terminal.note(f"  {line}")
        if complaints:
            raise Failure(
                UNVERIFIED, "some services do not render (see above); nothing was changed"
            )
        return {c.place.rendered: list(r.manifests) for c, r in zip(changes, done)}

    def _try(
        self,
        renderer: Renderer,
        changes: Sequence[Change],
        wanted: Sequence[Wanted],
        commit: str,
        files: Optional[Sequence[Wanted]],
    ) -> list[Rendered]:
        tree = self._tree(commit, files)
        platform = self.repository.platform
        for change in changes:
            path = os.path.join(tree, change.path)
            folder = os.path.dirname(path)
            if os.path.islink(folder) or os.path.isfile(folder):
                where = os.path.dirname(change.path)
                raise Failure(UNVERIFIED, f"{where} is no folder; nothing was changed")
            if os.path.islink(path) or os.path.isfile(path):
                os.unlink(path)
            elif os.path.isdir(path):
                raise Failure(UNVERIFIED, f"{change.path} is a folder; nothing was changed")
            os.makedirs(folder, exist_ok=True)
            image = platform.image(
                platform.environments[change.place.environment], change.place.service
            )
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(
                    versions.file_text(change.packaging, image, change.version, change.digest)
                )
        done = renderer.render(tree, wanted)
        if any(change.state is None for change in changes):
            self._patches = {
                c.place.rendered: list(patch_problems(tree, w.overlay, r.manifests))
                for c, w, r in zip(changes, wanted, done)
                if w.packaging == "kustomize" and not r.complaint
            }
        return done

    def _renderer(self, wanted: Sequence[Wanted]) -> Renderer:
        context = self.context
        return Renderer(context.processes, context.environ, self.repository.platform, wanted)

    def _tree(self, commit: str, wanted: Optional[Sequence[Wanted]]) -> str:
        self._trees += 1
        tree = os.path.join(self.context.folder, f"tree-{self._trees}")
        os.makedirs(tree)
        export(self.repository, commit, tree, wanted)
        return tree

    def _as_it_renders(
        self, changes: Sequence[Change], notes: list[str]
    ) -> dict[str, list[Manifest]]:
        """What services run that were never rendered into Git: by the files of the tip."""
        if not changes:
            return {}
        wanted = [Wanted(c.place.environment, c.place.service, c.packaging) for c in changes]
        renderer = self._renderer(wanted)
        done = renderer.render(self._tree(self.repository.tip, None), wanted)
        for rendered in done:
            if rendered.complaint:
                notes.append(
                    f"{rendered.wanted.service}: the branch {self.repository.branch} as it is does "
                    "not render, so all of it is shown as new"
                )
        return {
            c.place.rendered: list(r.manifests) for c, r in zip(changes, done) if not r.complaint
        }

    # --- what is refused

    def _refuse(
        self,
        plan: Plan,
        before: dict[str, list[Manifest]],
        after: dict[str, list[Manifest]],
        notes: list[str],
    ) -> None:
        """Raises Failure where the manifests are not what was promised, or would not be taken."""
        platform = self.repository.platform
        fatal: list[str] = []
        for change in plan.changes:
            new = after.get(change.place.rendered)
            service = change.place.service
            if new is None:
                fatal.append(f"{service}: it did not render")
                continue
            problem = self._image_problem(change, new)
            if problem:
                fatal.append(f"{service}: {problem}")
            notes += self._unpinned(change, new)
            would_fail = [
                *self._patches.get(change.place.rendered, []),
                *(f"{service}: {p}" for p in refused(platform, service, new)),
                *(
                    f"{service}: {p}"
                    for p in manifests.immutable_problems(
                        before.get(change.place.rendered, []), new
                    )
                ),
            ]
            if plan.kind == PROMOTION:
                fatal += would_fail
            else:
                notes += [f"warning: {problem}" for problem in would_fail]
        if fatal:
            raise Failure(UNVERIFIED, "nothing was changed:", *fatal)

    def _image_problem(self, change: Change, new: Sequence[Manifest]) -> Optional[str]:
        """Why the manifests do not run exactly what is promised; None where they do.

        Of a package the chart's archive is promised, and it was compared when it was fetched.
        """
        platform = self.repository.platform
        if platform.is_package(change.place.service):
            return None
        target = platform.environments[change.place.environment]
        image = platform.image(target, change.place.service)
        return manifests.image_problem(new, image, change.version, change.digest)

    def _unpinned(self, change: Change, new: Sequence[Manifest]) -> Iterator[str]:
        """Says which images a package runs by a tag alone, which can be given to another one."""
        service = change.place.service
        found = manifests.unpinned(new) if self.repository.platform.is_package(service) else []
        if found:
            yield f"{service}: images by a tag alone, without a digest: {', '.join(found)}"

    # --- what is shown

    def _difference(self, prepared: Prepared, known: dict[str, list[Manifest]]) -> list[str]:
        """Git's difference of what is rendered, now and after."""
        tip = self.repository.tip
        old = tip
        if known:
            files: dict[str, Optional[str]] = {}
            for folder, there in known.items():
                texts = manifests.files(there)
                names = self.repository.write([text.encode() for text in texts.values()])
                files |= {f"{folder}/{name}": n for name, n in zip(texts, names)}
            old = self.repository.tree_with(tip, files)
        folder = f"rendered/{prepared.plan.environment}"
        return self.repository.difference(old, prepared.tree, folder)


def _same(one: Sequence[Manifest], other: Sequence[Manifest]) -> bool:
    return manifests.files(one) == manifests.files(other)
