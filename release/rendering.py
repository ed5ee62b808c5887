"""From the tree to the manifests that a cluster gets, by kustomize and helm."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from release import manifests
from release.configuration import Platform
from release.errors import PRECONDITION, Failure
from release.manifests import Manifest, ManifestError
from release.processes import Processes
from release.repository import Entry, Repository
from release.terminal import visible

KUSTOMIZE_MINIMUM = (5, 0, 0)
_WHERE = "https://kubectl.docs.kubernetes.io/installation"
_LEFT_OUT = (
    "base",
    "environments",
    "rendered",
    "pipelines",
    "scripts",
    ".gitea",
    ".github",
    ".gitlab",
    ".circleci",
    ".scaffold",
)
_FEW, _BATCH = 8, 20
"""From how many services on one kustomize, whose start costs most, renders several; how many."""
_MARKER = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
_AT_MOST = 6
"""Lines of a renderer's complaint that are shown."""


class Wanted(NamedTuple):
    """A service to render."""

    environment: str
    service: str
    """namespace/name"""
    packaging: str

    @property
    def overlay(self) -> str:
        return f"environments/{self.environment}/{self.service}"


class Rendered(NamedTuple):
    """What a service renders to, or why it does not."""

    wanted: Wanted
    manifests: Sequence[Manifest]
    complaint: str = ""

    @property
    def files(self) -> dict[str, str]:
        return manifests.files(self.manifests)

    @property
    def text(self) -> str:
        return "---\n".join(self.files.values())


class Renderer:
    """kustomize, or kubectl that has it, and helm."""

    def __init__(
        self, processes: Processes, environ: Mapping[str, str], wanted: Iterable[Wanted]
    ) -> None:
        """Finds the programs that are needed for `wanted`. Raises Failure where one is missing."""
        self._processes = processes
        # Both end before their garbage matters: collecting none of it saves a third of the time.
        self._environ = {"GOGC": "off", "GOMEMLIMIT": "1GiB", **environ}
        everything = list(wanted)
        self._kustomize = self._find_kustomize() if everything else []
        charts = [w.service for w in everything if w.packaging == "helm"]
        if charts and shutil.which("helm", path=environ.get("PATH")) is None:
            raise Failure(
                PRECONDITION,
                f"helm is not installed, and {charts[0]} is a Helm chart",
                "install Helm 3 or newer: https://helm.sh/docs/intro/install",
            )

    def _find_kustomize(self) -> list[str]:
        tried = []
        for program, version, build in (
            ("kustomize", ["version"], ["build"]),
            ("kubectl", ["version", "--client"], ["kustomize"]),
        ):
            if shutil.which(program, path=self._environ.get("PATH")) is None:
                continue
            told = self._processes.run([program, *version], environ=self._environ).text
            if program == "kubectl":
                told = "".join(re.findall(r"Kustomize Version:?\s*(\S+)", told))
            number = re.search(r"(\d+)\.(\d+)\.(\d+)", told)
            if number is None and program == "kustomize" and told.strip():
                return [program, *build]  # built by hand: it does not know its own version
            if number and tuple(map(int, number.groups())) >= KUSTOMIZE_MINIMUM:
                return [program, *build]
            unknown = "without a version" if program == "kustomize" else "of unknown version"
            name = program if program == "kustomize" else "kubectl with kustomize"
            tried.append(f"{name} {told.strip() or unknown}")
        minimum = ".".join(map(str, KUSTOMIZE_MINIMUM))
        raise Failure(
            PRECONDITION,
            f"too old: {' '.join(tried)}"
            if tried
            else "neither kustomize nor kubectl is installed",
            f"install kustomize {minimum} or newer: {_WHERE}",
        )

    def render(self, tree: str, wanted: Sequence[Wanted]) -> list[Rendered]:
        """Renders services from the files in `tree`, several at a time, in the order asked for."""
        groups = batches(wanted)
        done = dict(
            pair
            for rendered in self._processes.together(lambda g: self._group(tree, g), groups)
            for pair in rendered.items()
        )
        if len(done) != len(set(wanted)):
            raise Failure(
                PRECONDITION, f"{len(wanted)} services were to render, and {len(done)} did"
            )
        return [done[each] for each in wanted]

    def _group(self, tree: str, group: Sequence[Wanted]) -> dict[Wanted, Rendered]:
        """Renders services by one kustomize, or one by one where that is not the same."""
        found = self._batch(tree, group) if len(group) > 1 else {}
        return {each: found.get(each) or self._one(tree, each) for each in group}

    def _batch(self, tree: str, group: Sequence[Wanted]) -> dict[Wanted, Rendered]:
        """Those of the services that render together as they would alone.

        Between two services stands a marker whose name nobody can know before. kustomize joins
        names within a namespace, so only those count whose objects are all in their own.
        """
        secret = secrets.token_hex(16)
        folder = os.path.join(tree, ".rendering", secret)
        os.makedirs(folder)
        lines = ["sortOptions: {order: fifo}", "resources:"]
        for number, each in enumerate(group):
            overlay = os.path.relpath(each.overlay, f".rendering/{secret}")
            lines += [f"- {number}.yaml", f"- {overlay}"]
            with open(os.path.join(folder, f"{number}.yaml"), "w", encoding="utf-8") as stream:
                stream.write(_MARKER.format(name=f"{secret}-{number}"))
        with open(os.path.join(folder, "kustomization.yaml"), "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
        try:
            text = self._run(tree, [*self._kustomize, f".rendering/{secret}"])
            everything = manifests.read(text)
        except (_Complaint, ManifestError):
            return {}
        parts: dict[str, list[Manifest]] = {}
        for manifest in everything:
            if manifest.name.startswith(f"{secret}-"):
                parts[manifest.name] = []
            elif parts:
                parts[next(reversed(parts))].append(manifest)
        found = {}
        for number, each in enumerate(group):
            part = parts.get(f"{secret}-{number}")
            own = each.service.partition("/")[0]
            if part is not None and all(m.metadata.get("namespace") == own for m in part):
                found[each] = Rendered(each, part)
        return found

    def _one(self, tree: str, wanted: Wanted) -> Rendered:
        try:
            text = (
                self._chart(tree, wanted)
                if wanted.packaging == "helm"
                else self._overlay(tree, wanted)
            )
            return Rendered(wanted, manifests.read(text))
        except (_Complaint, ManifestError) as complaint:
            return Rendered(wanted, (), str(complaint))

    def _overlay(self, tree: str, wanted: Wanted) -> str:
        return self._run(tree, [*self._kustomize, wanted.overlay])

    def _chart(self, tree: str, wanted: Wanted) -> str:
        """A chart's manifests, in kustomize's spelling."""
        namespace, _, name = wanted.service.partition("/")
        chart = f"base/{wanted.service}"
        self._fetch_dependencies(tree, chart)
        text = self._run(
            tree,
            [
                "helm", "template", name, chart, "--namespace", namespace, "--include-crds",
                "--values", f"{wanted.overlay}/values.yaml",
                "--values", f"{wanted.overlay}/version/values.yaml",
            ],
        )  # fmt: skip
        if not _has_content(text):
            return ""
        folder = os.path.join(tree, ".rendering", wanted.environment, *wanted.service.split("/"))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "chart.yaml"), "w", encoding="utf-8") as stream:
            stream.write(text)
        with open(os.path.join(folder, "kustomization.yaml"), "w", encoding="utf-8") as stream:
            stream.write("resources: [chart.yaml]\n")
        return self._run(tree, [*self._kustomize, os.path.relpath(folder, tree)])

    def _fetch_dependencies(self, tree: str, chart: str) -> None:
        try:
            with open(os.path.join(tree, chart, "Chart.yaml"), encoding="utf-8") as stream:
                needed = re.search(r"(?m)^[\"']?dependencies[\"']?\s*:", stream.read())
        except (OSError, UnicodeDecodeError):
            return
        if needed:
            self._run(tree, ["helm", "dependency", "build", "--skip-refresh", chart])

    def _run(self, tree: str, command: Sequence[str]) -> str:
        try:
            ran = self._processes.run(command, cwd=tree, environ=self._environ)
        except OSError as error:
            raise _Complaint(f"{command[0]} cannot be run: {error.strerror}") from error
        if ran.code:
            lines = [line for line in ran.words.splitlines() if line.strip()] or [
                f"it ended with {ran.code}"
            ]
            more = ["..."] if len(lines) > _AT_MOST else []
            raise _Complaint("\n".join(visible(line) for line in [*lines[:_AT_MOST], *more]))
        return ran.out.decode("utf-8", "replace")


class _Complaint(Exception):  # noqa: N818 - a renderer's words, and no error of ours
    """A renderer refuses."""


def batches(wanted: Sequence[Wanted]) -> list[list[Wanted]]:
    """Services to render by one kustomize: few of them alone, and of a namespace never two."""
    alone = [[each] for each in wanted if each.packaging == "helm"]
    rest = [each for each in wanted if each.packaging != "helm"]
    if len(rest) < _FEW:
        return [*alone, *([each] for each in rest)]
    found: list[list[Wanted]] = []
    for each in rest:
        fitting = next((group for group in found if _fits(each, group)), None)
        if fitting is None:
            found.append([each])
        else:
            fitting.append(each)
    return [*alone, *found]


def _fits(one: Wanted, group: Sequence[Wanted]) -> bool:
    """Whether none of the group's objects can be taken for one of this service."""
    namespace = one.service.partition("/")[0]
    return len(group) < _BATCH and all(
        each.environment == one.environment and each.service.partition("/")[0] != namespace
        for each in group
    )


def _has_content(text: str) -> bool:
    return any(line.strip() and not line.startswith(("#", "---")) for line in text.splitlines())


def not_moving(platform: Platform, wanted: Wanted, found: Sequence[Manifest]) -> Iterator[str]:
    """The workloads that stand still while the tag that the service follows moves."""
    tag = platform.followed(wanted.environment, wanted.service)
    if tag:
        image = platform.image(platform.environments[wanted.environment], wanted.service)
        yield from manifests.moving_problems(found, image, tag)


# --- trees to render from


def export(
    repository: Repository, commit: str, folder: str, wanted: Optional[Sequence[Wanted]] = None
) -> None:
    """Writes the files of a commit below `folder`: of `wanted` what they usually need, or all.

    Raises Failure for a symbolic link that leads out of the repository.
    """
    if wanted is None:
        entries = repository.entries(commit)
        chosen = {p: e for p, e in entries.items() if not p.startswith(("rendered/", ".scaffold/"))}
    else:
        paths = [name for name in _top(repository, commit) if name not in _LEFT_OUT]
        for each in wanted:
            paths += [f"base/{each.service}", each.overlay]
        chosen = repository.entries(commit, *paths) if paths else {}
    _write(repository, folder, {p: e for p, e in chosen.items() if e.kind == "blob"})


def _top(repository: Repository, commit: str) -> list[str]:
    ran = repository.git.local(repository.folder, "ls-tree", "-z", "--name-only", commit)
    return [os.fsdecode(name) for name in ran.out.split(b"\0") if name]


def _write(repository: Repository, folder: str, entries: Mapping[str, Entry]) -> None:
    contents = repository.read(entry.object for entry in entries.values())
    made: set[str] = set()
    for path, entry in entries.items():
        content = contents[entry.object]
        if content is None:
            raise Failure(PRECONDITION, f"Git has lost the content of {path}")
        target = os.path.join(folder, path)
        parent = os.path.dirname(target)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        if entry.mode == "120000":
            _link(folder, path, os.fsdecode(content))
            continue
        with open(target, "wb") as stream:
            stream.write(content)
        if entry.mode == "100755":
            os.chmod(target, 0o755)  # noqa: S103 - as Git has it, in a folder of our own


def _link(folder: str, path: str, target: str) -> None:
    """A symbolic link, where it stays inside; a renderer misses the others and says so."""
    inside = os.path.normpath(os.path.join(os.path.dirname(path), target))
    if not os.path.isabs(target) and not inside.startswith(".."):
        os.symlink(target, os.path.join(folder, path))


def folder_at(
    repository: Repository, commit: str, paths: Iterable[str]
) -> dict[str, list[Manifest]]:
    """The manifests in rendered folders of a commit; a folder that is not there is left out."""
    wanted = list(paths)
    entries = repository.entries(commit, *wanted) if wanted else {}
    contents = repository.read(e.object for e in entries.values() if e.is_file)
    found: dict[str, list[Manifest]] = {}
    for path, entry in entries.items():
        folder = "/".join(path.split("/")[:4])
        content = contents.get(entry.object)
        if entry.is_file and content is not None and path.endswith((".yaml", ".yml", ".json")):
            try:
                found.setdefault(folder, []).extend(
                    manifests.read(content.decode("utf-8", "replace"))
                )
            except ManifestError:
                found.setdefault(folder, [])
    return found
