"""`render.sh`: what Argo CD applies, written into a folder, compared, checked, or carried over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from release import manifests
from release.context import Context
from release.deployed import Deployed, Place, deployed
from release.errors import PRECONDITION, UNVERIFIED, USAGE, Failure
from release.git import Git, last_words
from release.patches import problems as patch_problems
from release.rendering import (
    Rendered,
    Renderer,
    Wanted,
    export,
    not_moving,
    refused,
    remove_outward,
)
from release.terminal import Terminal
from release.versions import file_name, packagings

_LIMIT = 60000
"""Characters of a report; GitHub takes 65536 in a comment."""


def into_folder(context: Context, out: str, commit: Optional[str]) -> None:
    """Writes OUT/ENVIRONMENT/NAMESPACE/SERVICE.yaml of every environment. Raises Failure."""
    if os.path.lexists(out):
        raise Failure(USAGE, f"{out} exists already", "name a folder that does not")
    tree = os.path.join(context.folder, "everything")
    os.makedirs(tree)
    if commit is None:
        _copy_worktree(context, tree)
    else:
        export(context.repository, commit, tree)
        for path, text in _rendered_files(context, commit).items():
            _write(os.path.join(tree, path), text)
    wanted = [
        w for environment in _folders(tree, "environments") for w in _services(tree, environment)
    ]
    renderer = Renderer(context.processes, context.environ, context.repository.platform, wanted)
    done = renderer.render(tree, wanted)
    for rendered in done:
        _tell(context.terminal, rendered)
    os.makedirs(out)
    for environment in _folders(tree, "environments"):
        os.makedirs(os.path.join(out, environment), exist_ok=True)
    for rendered in done:
        applied = _applied(tree, rendered)
        if applied is not None:
            path = os.path.join(out, rendered.wanted.environment, f"{rendered.wanted.service}.yaml")
            _write(path, applied)
    if any(rendered.complaint for rendered in done):
        raise Failure(UNVERIFIED, "some services do not render (see above)")
    problems = [p for rendered in done for p in _problems(context, tree, rendered)]
    if problems:
        raise Failure(UNVERIFIED, "this cannot be released as it is:", *problems)


def _problems(context: Context, tree: str, rendered: Rendered) -> Iterator[str]:
    """What kustomize ignores silently, what Argo CD would refuse, what does not move."""
    wanted = rendered.wanted
    if wanted.packaging == "kustomize":
        yield from patch_problems(tree, wanted.overlay, rendered.manifests)
    platform = context.repository.platform
    for problem in [
        *refused(platform, wanted.service, rendered.manifests),
        *not_moving(platform, wanted, rendered.manifests),
    ]:
        yield f"{wanted.environment}/{wanted.service}: {problem}"


def _tell(terminal: Terminal, rendered: Rendered) -> None:
    if rendered.complaint:
        terminal.note(f"{rendered.wanted.environment}/{rendered.wanted.service} does not render:")
        for line in rendered.complaint.splitlines():
            terminal.note(f"  {line}")


def _applied(tree: str, rendered: Rendered) -> Optional[str]:
    """What the cluster gets: the rendered manifests in Git, where the environment has them."""
    folder = os.path.join(tree, "rendered", rendered.wanted.environment, rendered.wanted.service)
    if os.path.isdir(folder):
        texts = []
        # As Argo CD reads it: nothing but manifests, whatever keeps the folder in Git.
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".yaml")):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
                texts.append(stream.read())
        return "---\n".join(texts)
    return None if rendered.complaint else rendered.text


def _copy_worktree(context: Context, tree: str) -> None:
    root = context.clone.root
    listed = context.clone.git.inside(
        root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"
    )
    if listed.code:
        raise Failure(PRECONDITION, f"git ls-files fails in this clone: {last_words(listed.words)}")
    links = []
    for name in sorted({os.fsdecode(n) for n in listed.out.split(b"\0") if n}):
        source = os.path.join(root, name)
        if os.path.lexists(source) and not os.path.isdir(source):
            target = os.path.join(tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target, follow_symlinks=False)
            if os.path.islink(target):
                links.append(target)
    remove_outward(tree, links)


def _rendered_files(context: Context, commit: str) -> dict[str, str]:
    entries = context.repository.entries(commit, "rendered")
    contents = context.repository.read(e.object for e in entries.values() if e.is_file)
    return {
        path: (contents[entry.object] or b"").decode("utf-8", "replace")
        for path, entry in entries.items()
        if entry.is_file
    }


def _folders(tree: str, name: str) -> list[str]:
    folder = os.path.join(tree, name)
    if not os.path.isdir(folder):
        return []
    return sorted(e for e in os.listdir(folder) if os.path.isdir(os.path.join(folder, e)))


def _services(tree: str, environment: str) -> list[Wanted]:
    found = []
    for namespace in _folders(tree, f"environments/{environment}"):
        for name in _folders(tree, f"environments/{environment}/{namespace}"):
            version = os.path.join(tree, "environments", environment, namespace, name, "version")
            for packaging in packagings():
                if os.path.isfile(os.path.join(version, file_name(packaging))):
                    found.append(Wanted(environment, f"{namespace}/{name}", packaging))
                    break
    return found


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)


# --- comparing


def difference(git: Git, scratch: str, old: str, new: str) -> list[str]:
    """What differs between two folders of manifests. Raises Failure where one is not there."""
    for folder in (old, new):
        if not os.path.isdir(folder):
            raise Failure(USAGE, f"there is no folder {folder}")
    old, new = os.path.abspath(old), os.path.abspath(new)
    store = os.path.join(scratch, "difference.git")
    os.makedirs(store, exist_ok=True)
    git.local(store, "init", "--quiet", "--bare", "--template=", store)
    ran = git.local(
        store, "diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color",
        "--text", "--src-prefix=before/", "--dst-prefix=after/", "--", old, new,
    )  # fmt: skip
    if ran.code not in (0, 1):
        raise Failure(PRECONDITION, f"Git cannot compare the folders: {last_words(ran.words)}")
    lines = []
    for shown in ran.text.split("\n")[:-1]:
        line = shown
        if line.startswith(("diff --git ", "index ", "new file mode ", "deleted file mode ")):
            continue
        for mark, side, folder in (("---", "before", old), ("+++", "after", new)):
            line = line.replace(f"{mark} {side}/{folder.lstrip('/')}/", f"{mark} {side}/", 1)
        lines.append(line)
    return lines


def report(lines: Sequence[str], limit: int = _LIMIT) -> str:
    """A difference in Markdown, of `limit` characters and little more."""
    title = "### What this changes in the rendered manifests\n\n"
    if not lines:
        return title + "Nothing."
    text = "\n".join(lines)
    fence = "`" * 6
    while fence in text:
        fence += "`"
    cut = len(text) > limit
    end = "\n\nCut here. The whole of it: `scripts/render.sh --difference`" if cut else ""
    return f"{title}{fence}diff\n{text[:limit]}\n{fence}{end}"


# --- carrying over


def carry_over(context: Context, environment: str) -> tuple[int, list[str]]:
    """Writes rendered/ENVIRONMENT of this clone: what its version files name now.

    How many services it wrote, and those that it left out because nothing was released of them.
    """
    repository, clone = context.repository, context.clone
    head = clone.git.inside(clone.root, "rev-parse", "--verify", "HEAD").text.strip()
    there = {p: s for p, s in deployed(repository, head).items() if p.environment == environment}
    if not there:
        raise Failure(USAGE, f"there is no environments/{environment}")
    unreadable = [place.service for place, s in there.items() if not s.running.readable]
    if unreadable:
        raise Failure(
            UNVERIFIED,
            "nothing was written; these version files cannot be read:",
            *(there[Place(environment, s)].path for s in unreadable),
        )
    tree = os.path.join(context.folder, "carried")
    os.makedirs(tree)
    export(repository, head, tree)
    wanted = [Wanted(*place, s.packaging) for place, s in there.items()]
    done = Renderer(context.processes, context.environ, repository.platform, wanted).render(
        tree, wanted
    )
    for rendered in done:
        _tell(context.terminal, rendered)
    if any(rendered.complaint for rendered in done):
        raise Failure(UNVERIFIED, "some services do not render (see above); nothing was written")
    _refuse_other_images(context, environment, done, there)
    written, empty = 0, []
    for rendered in done:
        target = os.path.join(clone.root, "rendered", environment, rendered.wanted.service)
        if os.path.islink(target) or os.path.isfile(target):
            raise Failure(PRECONDITION, f"{target} is no folder; move it away")
    for rendered in done:
        target = os.path.join(clone.root, "rendered", environment, rendered.wanted.service)
        _clear(target)
        if not rendered.manifests:
            empty.append(rendered.wanted.service)
            continue
        for name, text in rendered.files.items():
            _write(os.path.join(target, name), text)
        written += 1
    return written, empty


def _clear(folder: str) -> None:
    """Takes the manifests out of a folder; what keeps it in Git stays."""
    for top, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".yaml", ".yml", ".json")):
                os.remove(os.path.join(top, name))


def _refuse_other_images(
    context: Context,
    environment: str,
    done: Sequence[Rendered],
    there: Mapping[Place, Deployed],
) -> None:
    platform = context.repository.platform
    problems = []
    for rendered in done:
        running = there[Place(environment, rendered.wanted.service)].running
        if not running.digest or environment not in platform.environments:
            continue
        if platform.is_package(rendered.wanted.service):
            continue
        image = platform.image(platform.environments[environment], rendered.wanted.service)
        problem = manifests.image_problem(rendered.manifests, image, running.tag, running.digest)
        if problem:
            problems.append(f"{rendered.wanted.service}: {problem}")
    if problems:
        raise Failure(UNVERIFIED, "nothing was written:", *problems)
