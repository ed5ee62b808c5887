# Managed: generated, so change services.yaml or the stack files instead.
"""Rendered manifests: their files, their images, and what a cluster would refuse."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Optional

from release.subset_yaml import YamlError, load_all

_PODS_AT = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_POD_TEMPLATE = ("spec", "template", "spec")
_STATEFUL_SET_MAY_CHANGE = frozenset(
    {
        "replicas", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds", "ordinals", "revisionHistoryLimit",
    }
)  # fmt: skip
_CONTAINERS = ("initContainers", "containers")
_IN_A_CONTAINER = re.compile(r"\b(initContainers|containers)\[\d+\]\.image$")
_OF_KUBERNETES = frozenset({"", "apps", "batch"})
"""API groups of its own workloads: those of others may leave the image to their controllers."""
_ENDING = frozenset({"CronJob", "Job", "Pod"})
"""They pull when they run."""
_ROLLED = frozenset({("apps", "DaemonSet"), ("apps", "Deployment"), ("apps", "StatefulSet")})
_LONGEST = 250
"""Characters of a file's name: a machine takes 255 with the ending, and a name may have 253."""
_REPLACED = "Force=true"
"""Without it, Replace=true is an update, which Kubernetes refuses all the same."""
_NEVER_CHANGES = {
    "DaemonSet": ("selector",),
    "Deployment": ("selector",),
    "Job": (
        "backoffLimitPerIndex", "completionMode", "managedBy", "podFailurePolicy", "selector",
        "successPolicy", "template",
    ),
    "PersistentVolumeClaim": (
        "accessModes", "dataSource", "dataSourceRef", "selector", "storageClassName", "volumeMode",
        "volumeName",
    ),
    "ReplicaSet": ("selector",),
}  # fmt: skip
_OF_A_SERVICE = ("clusterIP", "clusterIPs", "loadBalancerClass")
_BESIDE_SPEC = {
    "ClusterRoleBinding": ("roleRef",),
    "RoleBinding": ("roleRef",),
    "Secret": ("type",),
}
_UNSAID = {
    "completionMode": "NonIndexed",
    "podManagementPolicy": "OrderedReady",
    "volumeMode": "Filesystem",
}
"""What Kubernetes takes where nothing is said: to say it changes nothing."""


class ManifestError(ValueError):
    """What was rendered is no list of Kubernetes objects."""


class Manifest(NamedTuple):
    """One object, and the text that it was rendered as."""

    text: str
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.content["kind"])

    @property
    def group(self) -> str:
        return str(self.content["apiVersion"]).rpartition("/")[0]

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.content.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name") or self.metadata.get("generateName") or "")

    @property
    def annotations(self) -> dict[str, Any]:
        found = self.metadata.get("annotations")
        return found if isinstance(found, dict) else {}

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when the object changes."""
        return self.group, self.kind, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@lru_cache(maxsize=20000)
def _documents(part: str) -> tuple[Any, ...]:
    """What a part of YAML says: most of it is the same before a release and after it."""
    return tuple(load_all(part))


def read(text: str) -> list[Manifest]:
    """The objects in what kustomize wrote. Raises ManifestError."""
    found = []
    for part in re.split(r"(?m)^---(?:[ \t].*)?\n", text if text.endswith("\n") else text + "\n"):
        if not part.strip():
            continue
        try:
            documents = _documents(part)
        except YamlError as error:
            raise ManifestError(f"what was rendered cannot be read: {error}") from error
        for content in documents:
            if (
                not isinstance(content, dict)
                or not content.get("kind")
                or not content.get("apiVersion")
            ):
                raise ManifestError(
                    "what was rendered is no Kubernetes object: kind or apiVersion is missing"
                )
            manifest = Manifest(part, content)
            if not manifest.name:
                raise ManifestError(f"a {manifest.kind} has no name")
            found.append(manifest)
    return found


def files(manifests: Iterable[Manifest]) -> dict[str, str]:
    """A file for each object, by name: `deployment-tv-api.yaml`."""
    everything = list(manifests)
    plain = [_file_name(m.kind, m.name) for m in everything]
    found: dict[str, str] = {}
    for manifest, name in zip(everything, plain):
        own = name
        if plain.count(name) > 1:
            own = _file_name(manifest.kind, manifest.name, manifest.group or "core")
        if f"{own}.yaml" in found:
            salt = hashlib.sha256(manifest.text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
            own = _file_name(manifest.kind, manifest.name, salt)
        found[f"{own}.yaml"] = manifest.text
    return dict(sorted(found.items()))


def _file_name(*parts: str) -> str:
    name = "-".join(re.sub(r"[^a-z0-9.-]", "_", part.lower()) for part in parts)
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


# --- images


def images(manifests: Iterable[Manifest]) -> list[str]:
    """The images of every container."""
    found = []
    for manifest in manifests:
        spec = _at(manifest.content, _PODS_AT.get(manifest.kind, _POD_TEMPLATE))
        if not isinstance(spec, dict):
            continue
        for key in ("initContainers", "containers", "ephemeralContainers"):
            for container in spec.get(key) or []:
                if isinstance(container, dict) and isinstance(container.get("image"), str):
                    found.append(container["image"])
    return found


def moving_problems(manifests: Iterable[Manifest], image: str, tag: str) -> Iterator[str]:
    """The workloads that run `image` at a moving tag and do not move with it."""
    for manifest in manifests:
        spec = _at(manifest.content, _PODS_AT.get(manifest.kind, _POD_TEMPLATE))
        if not isinstance(spec, dict):
            continue
        first, own = (_running(spec, key, f"{image}:{tag}") for key in _CONTAINERS)
        if not first and not own:
            continue
        pulled = any(one.get("imagePullPolicy") == "Always" for one in first)
        for one in [*first[:1], *([] if pulled else own)]:
            if one.get("imagePullPolicy") != "Always":
                yield (
                    f"{manifest}: its container {one.get('name')} runs the moving tag {tag} and "
                    "does not pull it anew; set imagePullPolicy: Always"
                )
        yield from _unrolled(manifest, [str(one.get("name")) for one in own])


def versionless(manifests: Iterable[Manifest], image: str) -> Iterator[str]:
    """Keys called `image` that name it without a version: no release and no build gets there."""
    for manifest in manifests:
        for path, text in _texts(manifest.content, ""):
            if text == image and path.endswith(".image"):
                yield f"{manifest}: {path} names the image without a version, " + (
                    "for the version file names another image; release a version of this one"
                    if _IN_A_CONTAINER.search(path)
                    else "which releases set in containers and initContainers alone; write a "
                    "version there, or use a container"
                )


def _texts(content: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in an object, with the path to it."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _texts(value, f"{path}[{number}]")
    elif isinstance(content, str):
        yield path, content


def _running(spec: dict[str, Any], key: str, image: str) -> list[dict[str, Any]]:
    listed = spec.get(key) or []
    return [one for one in listed if isinstance(one, dict) and one.get("image") == image]


def _unrolled(manifest: Manifest, containers: Sequence[str]) -> Iterator[str]:
    """Why Keel does not roll a workload that runs for ever."""
    if manifest.kind in _ENDING:
        return
    if (manifest.group, manifest.kind) not in _ROLLED:
        yield f"{manifest}: Keel does not know this kind, so no build of the moving tag gets there"
        return
    if "keel.sh/policy" not in manifest.annotations:
        yield (
            f"{manifest}: without Keel's annotations no build of the moving tag gets there; take "
            "them from the overlay of the service"
        )
        return
    watched = str(manifest.annotations.get("keel.sh/monitorContainers", ""))
    if watched and containers and not any(re.search(watched, name) for name in containers):
        yield (
            f"{manifest}: Keel looks at containers called {watched}, and {', '.join(containers)} "
            "has the moving tag; correct keel.sh/monitorContainers"
        )


def image_problem(
    manifests: Sequence[Manifest], image: str, version: str, digest: str
) -> Optional[str]:
    """Why the manifests do not run exactly `image:version@digest`; None where they do."""
    promised = f"{image}:{version}@{digest}"
    found = images(manifests)
    ours = [name for name in found if _repository(name) == image]
    others = sorted({name for name in ours if name != promised})
    if others:
        return f"what is rendered runs {', '.join(others)} and not {promised}"
    if not ours:
        there = ", ".join(sorted(set(found))) or "no container at all"
        return f"what is rendered does not run {promised}, but {there}"
    return None


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _at(content: Any, path: Sequence[str]) -> Any:
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content


# --- what is refused


def kinds_problems(
    manifests: Iterable[Manifest], kinds: frozenset[tuple[str, str]]
) -> Iterator[str]:
    """The objects whose kind the project does not allow."""
    for manifest in manifests:
        if kinds and (manifest.group, manifest.kind) not in kinds:
            group = f" ({manifest.group})" if manifest.group else ""
            yield f"{manifest}{group}: Argo CD's project does not allow this kind"


def imageless_problems(manifests: Iterable[Manifest]) -> Iterator[str]:
    """The containers that only a patch knows: kustomize adds what it finds no container for."""
    for manifest in (each for each in manifests if each.group in _OF_KUBERNETES):
        spec = _at(manifest.content, _PODS_AT.get(manifest.kind, _POD_TEMPLATE))
        for key in _CONTAINERS if isinstance(spec, dict) else ():
            for container in spec.get(key) or []:
                if isinstance(container, dict) and not container.get("image"):
                    yield (
                        f"{manifest}: its container {container.get('name')} has no image, so "
                        "Kubernetes refuses it; a patch names a container that base does not have"
                    )


def elsewhere_problems(manifests: Iterable[Manifest], namespace: str) -> Iterator[str]:
    """The objects that say another namespace than the one of their service."""
    for manifest in manifests:
        elsewhere = manifest.metadata.get("namespace")
        if elsewhere not in (None, "", namespace):
            yield (
                f"{manifest}: is of the namespace {elsewhere}, and Argo CD's project allows "
                f"{namespace} alone"
            )


def unpinned(manifests: Iterable[Manifest]) -> list[str]:
    """The images without a digest, sorted: their registries decide what they are."""
    return sorted({image for image in images(manifests) if "@" not in image})


def immutable_problems(before: Iterable[Manifest], after: Iterable[Manifest]) -> Iterator[str]:
    """The objects that keep their name and change a field that Kubernetes never changes."""
    old = {manifest.key: manifest for manifest in before}
    for manifest in after:
        if manifest.key not in old or _is_made_anew(manifest):
            continue
        for field in _immutable_changes(old[manifest.key].content, manifest.content, manifest.kind):
            yield (
                f"{manifest}: Kubernetes refuses a new {field} under the same name; give the "
                "object another name, or let Argo CD replace it (argocd.argoproj.io/sync-options: "
                "Force=true,Replace=true), or make it a hook"
            )


def _is_made_anew(manifest: Manifest) -> bool:
    annotations = manifest.annotations
    return (
        "argocd.argoproj.io/hook" in annotations
        or "helm.sh/hook" in annotations
        or _REPLACED in str(annotations.get("argocd.argoproj.io/sync-options", ""))
        or ("generateName" in manifest.metadata and "name" not in manifest.metadata)
    )


def _immutable_changes(old: Mapping[str, Any], new: Mapping[str, Any], kind: str) -> Iterator[str]:
    before, after = _spec(old), _spec(new)
    paths: Iterable[str] = _NEVER_CHANGES.get(kind, ())
    if kind == "StatefulSet":
        paths = sorted((before.keys() | after.keys()) - _STATEFUL_SET_MAY_CHANGE)
    elif kind == "Service":
        both = [k for k in _OF_A_SERVICE if before.get(k) and after.get(k)]
        headless = {before.get("clusterIP"), after.get("clusterIP")} >= {"None"}
        paths = both or (["clusterIP"] if headless else [])
    elif kind in ("ConfigMap", "Secret"):
        changed = any(old.get(k) != new.get(k) for k in ("data", "binaryData", "immutable"))
        if old.get("immutable") == "true" and changed:
            yield "data (immutable: true)"
    for path in paths:
        if before.get(path, _UNSAID.get(path)) != after.get(path, _UNSAID.get(path)):
            yield f"spec.{path}"
    for path in _BESIDE_SPEC.get(kind, ()):
        if old.get(path) != new.get(path):
            yield path


def _spec(content: Mapping[str, Any]) -> dict[str, Any]:
    spec = content.get("spec")
    return spec if isinstance(spec, dict) else {}
