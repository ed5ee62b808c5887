# Managed: generated, so change services.yaml or the stack files instead.
"""From the tree to the manifests that a cluster gets, by kustomize and helm."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from release import manifests
from release.configuration import PACKAGE, Platform
from release.errors import PRECONDITION, Failure
from release.manifests import Manifest, ManifestError
from release.processes import Processes
from release.repository import Entry, Repository
from release.terminal import visible
from release.versions import NOTHING, Running, file_name, read

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
_TO_KUSTOMIZE = "config.k"
"""In the annotations that kustomize obeys: of kustomize.config.k8s.io and config.kubernetes.io."""
_BY_HELM = ("helm", PACKAGE)
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

    @property
    def is_chart(self) -> bool:
        return self.packaging in _BY_HELM

    @property
    def source(self) -> str:
        """The folder that kustomize builds: of a chart, what helm made of it."""
        made = f".rendering/{self.environment}/{self.service}"
        return made if self.is_chart else self.overlay


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
        self,
        processes: Processes,
        environ: Mapping[str, str],
        platform: Platform,
        wanted: Iterable[Wanted],
    ) -> None:
        """Finds the programs that are needed for `wanted`. Raises Failure where one is missing."""
        self._processes, self._platform = processes, platform
        # Both end before their garbage matters: collecting none of it saves a third of the time.
        self._environ = {"GOGC": "off", "GOMEMLIMIT": "1GiB", **environ}
        everything = list(wanted)
        self._kustomize = self._find_kustomize() if everything else []
        charts = [w.service for w in everything if w.is_chart]
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
            printed = self._processes.run([program, *version], environ=self._environ).text
            if program == "kubectl":
                printed = "".join(re.findall(r"Kustomize Version:?\s*(\S+)", printed))
            number = re.search(r"(\d+)\.(\d+)\.(\d+)", printed)
            if number is None and program == "kustomize" and printed.strip():
                return [program, *build]  # built by hand: it does not know its own version
            if number and tuple(map(int, number.groups())) >= KUSTOMIZE_MINIMUM:
                return [program, *build]
            unknown = "without a version" if program == "kustomize" else "of unknown version"
            name = program if program == "kustomize" else "kubectl with kustomize"
            tried.append(f"{name} {printed.strip() or unknown}")
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
        charts = [each for each in wanted if each.is_chart]
        together = self._processes.together
        made = together(lambda each: self._by_helm(tree, each), charts)
        done = {each: rendered for each, rendered in zip(charts, made) if rendered is not None}
        groups = batches([each for each in wanted if each not in done])
        for found in together(lambda group: self._group(tree, group), groups):
            done |= found
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

        Between two services there is a marker with an unpredictable name. kustomize joins
        names within a namespace, so only those overlays count whose objects are all in their
        own. What a chart made is not changed by kustomize, wherever it is.
        """
        secret = secrets.token_hex(16)
        folder = os.path.join(tree, ".rendering", secret)
        os.makedirs(folder)
        lines = ["sortOptions: {order: fifo}", "resources:"]
        for number, each in enumerate(group):
            source = os.path.relpath(each.source, f".rendering/{secret}")
            lines += [f"- {number}.yaml", f"- {source}"]
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
            apart = each.is_chart or all(m.metadata.get("namespace") == own for m in part or ())
            if part is not None and apart:
                found[each] = Rendered(each, part)
        return found

    def _one(self, tree: str, wanted: Wanted) -> Rendered:
        try:
            text = self._run(tree, [*self._kustomize, wanted.source])
            return Rendered(wanted, manifests.read(text))
        except (_Complaint, ManifestError) as complaint:
            return Rendered(wanted, (), str(complaint))

    def _by_helm(self, tree: str, wanted: Wanted) -> Optional[Rendered]:
        """Writes what a chart makes where kustomize, which spells it, finds it.

        Returns what is rendered where there is no more to do with others.
        """
        try:
            how = self._package if wanted.packaging == PACKAGE else self._chart
            text = how(tree, wanted)
        except _Complaint as complaint:
            return Rendered(wanted, (), str(complaint))
        if not _has_content(text):
            return Rendered(wanted, ())
        folder = os.path.join(tree, wanted.source)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "chart.yaml"), "w", encoding="utf-8") as stream:
            stream.write(text)
        with open(os.path.join(folder, "kustomization.yaml"), "w", encoding="utf-8") as stream:
            stream.write("resources: [chart.yaml]\n")
        return self._one(tree, wanted) if _TO_KUSTOMIZE in text else None

    def _chart(self, tree: str, wanted: Wanted) -> str:
        chart = f"base/{wanted.service}"
        self._fetch_dependencies(tree, chart)
        values = (f"{wanted.overlay}/values.yaml", f"{wanted.overlay}/version/values.yaml")
        return self._template(tree, wanted, chart, values)

    def _package(self, tree: str, wanted: Wanted) -> str:
        """What the chart of somebody else makes.

        It is fetched by its address alone, whatever repositories the person has added.
        """
        version = f"{wanted.overlay}/version"
        promised = _named(os.path.join(tree, version), self._platform.image_name(wanted.service))
        if not promised:
            return ""
        own = os.path.join(tree, wanted.source)
        nothing_added = {
            "HELM_REPOSITORY_CONFIG": os.path.join(own, "repositories.yaml"),
            "HELM_REPOSITORY_CACHE": os.path.join(own, "cache"),
        }
        self._run(tree, ["helm", "dependency", "update", version], nothing_added)
        _refuse_other_archive(os.path.join(tree, version, "charts"), promised)
        values = (f"base/{wanted.service}/values.yaml", f"{wanted.overlay}/values.yaml")
        there = [path for path in values if os.path.isfile(os.path.join(tree, path))]
        return self._template(tree, wanted, version, there)

    def _template(self, tree: str, wanted: Wanted, chart: str, values: Sequence[str]) -> str:
        namespace, _, name = wanted.service.partition("/")
        there = self._platform.environments.get(wanted.environment)
        kubernetes = [f"{there.kubernetes}.0"] if there and there.kubernetes else []
        return self._run(
            tree,
            [
                "helm", "template", name, chart, "--namespace", namespace, "--include-crds",
                *(word for version in kubernetes for word in ("--kube-version", version)),
                *(word for path in values for word in ("--values", path)),
            ],
        )  # fmt: skip

    def _fetch_dependencies(self, tree: str, chart: str) -> None:
        try:
            with open(os.path.join(tree, chart, "Chart.yaml"), encoding="utf-8") as stream:
                needed = re.search(r"(?m)^[\"']?dependencies[\"']?\s*:", stream.read())
        except (OSError, UnicodeDecodeError):
            return
        if needed:
            self._run(tree, ["helm", "dependency", "build", "--skip-refresh", chart])

    def _run(
        self, tree: str, command: Sequence[str], extra: Optional[Mapping[str, str]] = None
    ) -> str:
        environ = {**self._environ, **(extra or {})}
        try:
            ran = self._processes.run(command, cwd=tree, environ=environ)
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


def _named(folder: str, address: str) -> Running:
    """The version that the version file of a package names. Raises _Complaint."""
    try:
        with open(os.path.join(folder, file_name(PACKAGE)), encoding="utf-8") as stream:
            found = read(stream.read(), PACKAGE, address)
    except (OSError, UnicodeDecodeError):
        return NOTHING
    if not found.readable:
        raise _Complaint(f"its version file names another chart than {address}, or none")
    return found


def _refuse_other_archive(folder: str, promised: Running) -> None:
    """Raises _Complaint where the archive that was fetched is not the one that was promised."""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as stream:
            found = f"sha256:{hashlib.sha256(stream.read()).hexdigest()}"
        if found != promised.digest:
            raise _Complaint(
                f"{name} is {found} in its repository now, and {promised.digest or 'no digest'} "
                "was promised; find out why before you write the new digest into services.yaml"
            )


def batches(wanted: Sequence[Wanted]) -> list[list[Wanted]]:
    """Services to render by one kustomize: few of them alone."""
    if len(wanted) < _FEW:
        return [[each] for each in wanted]
    found: list[list[Wanted]] = []
    for each in wanted:
        fitting = next((group for group in found if _fits(each, group)), None)
        if fitting is None:
            found.append([each])
        else:
            fitting.append(each)
    return found


def _fits(one: Wanted, group: Sequence[Wanted]) -> bool:
    """Whether none of the group's objects can be taken for one of this service.

    That is so of overlays in other namespaces, and of charts, unless kustomize says otherwise.
    """
    namespace = one.service.partition("/")[0]
    return len(group) < _BATCH and all(
        each.environment == one.environment
        and each.is_chart == one.is_chart
        and (one.is_chart or each.service.partition("/")[0] != namespace)
        for each in group
    )


def _has_content(text: str) -> bool:
    return any(line.strip() and not line.startswith(("#", "---")) for line in text.splitlines())


def refused(platform: Platform, service: str, found: Sequence[Manifest]) -> Iterator[str]:
    """The objects that Argo CD's project does not allow, or that Kubernetes cannot run."""
    namespace = service.partition("/")[0]
    yield from manifests.imageless_problems(found)
    yield from manifests.kinds_problems(found, platform.kinds_of(service))
    yield from manifests.elsewhere_problems(found, namespace)


def not_moving(platform: Platform, wanted: Wanted, found: Sequence[Manifest]) -> Iterator[str]:
    """What runs the service's image, or will, and does not follow its version."""
    environment = platform.environments.get(wanted.environment)
    if environment is None:
        return
    image = platform.image(environment, wanted.service)
    yield from manifests.versionless(found, image)
    tag = platform.followed(wanted.environment, wanted.service)
    if tag:
        yield from manifests.moving_problems(found, image, tag)


# --- trees to render from


def export(
    repository: Repository, commit: str, folder: str, wanted: Optional[Sequence[Wanted]] = None
) -> None:
    """Writes the files of a commit below `folder`: of `wanted` what they usually need, or all."""
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
    links = {}
    for path, entry in entries.items():
        content = contents[entry.object] or b""
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if entry.mode == "120000":
            links[target] = os.fsdecode(content)
            continue
        with open(target, "wb") as stream:
            stream.write(content)
        if entry.mode == "100755":
            os.chmod(target, 0o755)  # noqa: S103 - as Git has it, in a folder of our own
    for target, leads_to in links.items():  # last, so that nothing is written through one
        os.symlink(leads_to, target)
    remove_outward(folder, links)


def remove_outward(folder: str, links: Iterable[str]) -> None:
    """Removes the symbolic links that lead out of `folder`; a renderer misses them and says so."""
    inside = os.path.join(os.path.realpath(folder), "")
    for link in links:
        if not os.path.join(os.path.realpath(link), "").startswith(inside):
            os.unlink(link)


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
