"""A release: plan it, show what it changes, ask, commit, push. Whole, or nothing.

Promotion, rollback and delivery by a pipeline differ in their plan only.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Callable, Optional

from release import manifests, versions
from release.context import Context
from release.errors import DECLINED, PRECONDITION, REMOTE, UNVERIFIED, Failure
from release.git import Person, without_secrets
from release.manifests import Manifest, ManifestError
from release.patches import problems as patch_problems
from release.plan import PROMOTION, Change, Plan, message, summary
from release.rendering import Rendered, Renderer, Wanted, export, folder_at
from release.repository import Unreachable, is_contention
from release.terminal import one_line, visible

ATTEMPTS = 20
_REASONS = 20
"""Lines of a refusal that are shown."""


@dataclass
class Prepared:
    """What a plan does to the tree."""

    plan: Plan
    files: dict[str, Optional[str]]
    """The objects to write, by path; None where a file goes."""
    shown: list[str] = field(default_factory=list)
    """The difference in what is rendered."""
    notes: list[str] = field(default_factory=list)


class Release:
    """One run of a command that changes what an environment runs."""

    def __init__(self, context: Context, make_plan: Callable[[], Plan]) -> None:
        self.context, self.repository = context, context.repository
        self.terminal = context.terminal
        self._make_plan = make_plan
        self.idle: Callable[[], str] = lambda: "already up to date"
        """What is said where there is nothing to do."""
        self._shown: list[str] = []
        self._patches: dict[str, list[str]] = {}
        """What is wrong with the patches of what was rendered last, by its folder."""
        self._trees = 0

    def run(
        self,
        question: str,
        *,
        author: Person,
        committer: Person,
        yes: bool = False,
        dry_run: bool = False,
        renders: bool = True,
        body: Sequence[str] = (),
        more: Callable[[], Sequence[str]] = tuple,
        propose: Optional[Callable[[Prepared, str, str], None]] = None,
    ) -> Optional[str]:
        """The commit that landed; None where there was nothing to do. Raises Failure.

        renders: whether the environment applies rendered manifests, which are shown.
        propose: what is done with the commit and its message in place of a push to the branch.
        """
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1:
                self.repository.follow()
            plan = self._make_plan()
            prepared = self._prepare(plan) if renders else self._versions_only(plan)
            if not prepared.plan.changes:
                self.terminal.say(self.idle())
                return None
            if renders and not self._show_and_ask(prepared, question, yes=yes, dry_run=dry_run):
                return None
            tree = self.repository.tree_with(self.repository.tip, prepared.files)
            text = message(prepared.plan, author, body, more())
            commit = self.repository.commit(tree, text, author, committer)
            self._refuse_strays(commit, prepared)
            if propose is not None:
                propose(prepared, commit, text)
                return None
            if self._push(commit, attempt):
                self.terminal.committed = True
                return commit
            self.terminal.note("somebody else pushed meanwhile; looking again")
            # Many pipelines may be waiting for the same moment: spread them.
            time.sleep(attempt / 4 + random.random())  # noqa: S311 - no secret depends on it
        raise Failure(
            REMOTE,
            f"others were faster {ATTEMPTS} times in a row; nothing was changed",
            "try again",
        )

    # --- what changes

    def _versions_only(self, plan: Plan) -> Prepared:
        """The version files of a plan whose environment is rendered by Argo CD."""
        return Prepared(plan, {c.path: self._version_file(c) for c in plan.changes})

    def _version_file(self, change: Change) -> str:
        platform = self.repository.platform
        image = platform.image(
            platform.environments[change.place.environment], change.place.service
        )
        text = versions.file_text(change.packaging, image, change.version, change.digest)
        return self.repository.write([text.encode()])[0]

    def _prepare(self, plan: Plan) -> Prepared:
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
        texts: list[bytes] = []
        places: list[str] = []
        platform = self.repository.platform
        for change in changes:
            image = platform.image(platform.environments[plan.environment], change.place.service)
            texts.append(
                versions.file_text(change.packaging, image, change.version, change.digest).encode()
            )
            places.append(change.path)
            for name, content in manifests.files(after[change.place.rendered]).items():
                texts.append(content.encode("utf-8", "surrogateescape"))
                places.append(f"{change.place.rendered}/{name}")
        objects = dict(zip(places, self.repository.write(texts)))
        there = self.repository.entries(
            self.repository.tip, *[p for c in changes for p in (c.path, c.place.rendered)]
        )
        files: dict[str, Optional[str]] = {}
        moving: list[Change] = []
        for change in changes:
            own = _below(change.place.rendered, objects) | {change.path: objects[change.path]}
            now = {
                path: entry.object
                for path, entry in there.items()
                if entry.kind != "tree"
                and (path == change.path or _is_manifest(change.place.rendered, path))
            }
            as_before = known.get(change.place.rendered)
            if now == own and all(there[path].is_file for path in now):
                continue
            if (
                as_before is not None
                and _same(as_before, after[change.place.rendered])
                and (now.get(change.path) == own[change.path])
            ):
                continue
            moving.append(change)
            files.update({path: None for path in now if path not in own})
            files.update(own)
        prepared = Prepared(plan._replace(changes=moving), files, notes=notes)
        if moving:
            prepared.shown = self._difference(prepared, known)
        return prepared

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
        renderer = Renderer(self.context.processes, self.context.environ, wanted)
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
            if os.path.islink(path) or os.path.isfile(path):
                os.unlink(path)
            elif os.path.isdir(path):
                raise Failure(UNVERIFIED, f"{change.path} is a folder; nothing was changed")
            os.makedirs(os.path.dirname(path), exist_ok=True)
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
        renderer = Renderer(self.context.processes, self.context.environ, wanted)
        done = renderer.render(self._tree(self.repository.tip, None), wanted)
        for rendered in done:
            if rendered.complaint:
                notes.append(
                    f"{rendered.wanted.service}: what stands on {self.repository.branch} now does "
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
            would_fail = [
                *self._patches.get(change.place.rendered, []),
                *(
                    f"{service}: {p}"
                    for p in manifests.kinds_problems(new, platform.kinds_of(service))
                ),
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
        """Why the manifests do not run exactly what is promised; None where they do."""
        platform = self.repository.platform
        target = platform.environments[change.place.environment]
        image = platform.image(target, change.place.service)
        return manifests.image_problem(new, image, change.version, change.digest)

    def _refuse_strays(self, commit: str, prepared: Prepared) -> None:
        """Raises Failure where the commit changes more than was shown."""
        changed = {
            path
            for _, entries in self.repository.changes([(commit, self.repository.tip)])
            for _, _, path in entries
        }
        strays = sorted(changed - prepared.files.keys())
        if strays:
            raise Failure(
                PRECONDITION, f"the commit would change {strays[0]} too; nothing was changed"
            )

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
        new = self.repository.tree_with(tip, prepared.files)
        return self.repository.difference(old, new, f"rendered/{prepared.plan.environment}")

    def _show_and_ask(self, prepared: Prepared, question: str, *, yes: bool, dry_run: bool) -> bool:
        """Shows what would change; once, and again only if it is no longer what was shown."""
        fast = self.repository.platform.fast.name
        showing = [
            *self.terminal.difference(prepared.shown),
            *summary(prepared.plan, fast, self.terminal),
            *prepared.notes,
        ]
        if showing == self._shown:
            return True
        if self._shown:
            self.terminal.note("what would change is no longer what you saw:")
        self.terminal.say(
            "\n".join(showing).lstrip("\n") if not prepared.shown else "\n".join(showing)
        )
        self._shown = showing
        if dry_run:
            self.terminal.say("dry run: nothing was changed")
            return False
        if not yes and not self.terminal.confirm(question):
            raise Failure(DECLINED, "not confirmed; nothing was changed")
        return True

    # --- the push

    def _push(self, commit: str, attempt: int) -> bool:
        """Whether the commit landed; False where somebody else was faster. Raises Failure."""
        before = self.repository.tip
        self.context.clone.run_pre_push_hook(
            self.repository.folder, self.repository.url, commit, self.repository.branch, before
        )
        self.context.pushing = True
        ran = self.repository.push(commit)
        try:
            landed = self.repository.landed(commit)
        except Unreachable as error:
            raise Failure(
                REMOTE,
                "the push failed, and origin does not answer: it may or may not have arrived"
                if ran.code
                else "origin took the push and does not answer any more",
                *reasons(ran.words)[:1],
                error.message,
                "look first, when origin answers: scripts/history.sh --limit 5",
            ) from error
        self.context.pushing = False
        if landed:
            return True
        if ran.code == 0:
            raise Failure(
                REMOTE,
                f"origin took the push, but its {self.repository.branch} does not have the commit",
                "nothing was released; ask whoever looks after the Git host",
            )
        if self.repository.tip != before or (is_contention(ran.words) and attempt < ATTEMPTS // 3):
            return False
        raise Failure(REMOTE, "origin refused the push; nothing was changed:", *reasons(ran.words))


def reasons(words: str) -> list[str]:
    """Why a push was refused, in the remote's words where it said some."""
    lines = [
        visible(without_secrets(line.strip()))
        for line in words.replace("\r", "\n").splitlines()
        if line.strip() and not line.startswith(("To ", "error: failed to push", "hint:"))
    ]
    if len(lines) > _REASONS:
        lines = [*lines[:_REASONS], f"and {len(lines) - _REASONS} more lines"]
    return [one_line(line) for line in lines]


def _is_below(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_manifest(folder: str, path: str) -> bool:
    """Whether a release wrote what stands there, and a release takes it away."""
    return _is_below(folder, path) and path.endswith((".yaml", ".yml", ".json"))


def _below(folder: str, objects: dict[str, str]) -> dict[str, str]:
    return {path: name for path, name in objects.items() if _is_below(folder, path)}


def _same(one: Sequence[Manifest], other: Sequence[Manifest]) -> bool:
    return manifests.files(one) == manifests.files(other)
