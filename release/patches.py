"""Patches and replacements of a kustomization whose target matches nothing: they do nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from release.kustomization import Kustomization, kustomization
from release.manifests import Manifest

_HASH = re.compile(r"-[0-9a-z]{10}$")


def problems(tree: str, folder: str, manifests: Sequence[Manifest]) -> Iterator[str]:
    """The patches of `folder` (relative to `tree`), and of what it builds on, that match nothing.

    `manifests` is what the whole renders to. Where that is nothing, nothing was released.
    """
    if manifests:
        yield from _Walk(tree, manifests).problems(os.path.normpath(folder), _Names(("",), ("",)))


class _Names(NamedTuple):
    """What kustomizations put around the names of objects on the way up."""

    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]

    def of(self, content: dict[str, Any]) -> _Names:
        """The same, one kustomization further down."""
        prefix, suffix = (str(content.get(key) or "") for key in ("namePrefix", "nameSuffix"))
        return _Names(
            tuple(f"{own}{p}" for p in self.prefixes for own in sorted({"", prefix})),
            tuple(f"{s}{own}" for s in self.suffixes for own in sorted({"", suffix})),
        )


class _Walk:
    """Through a kustomization and all that it builds on."""

    def __init__(self, tree: str, manifests: Sequence[Manifest]) -> None:
        self._tree, self._manifests = tree, manifests
        self._seen: set[str] = set()

    def problems(self, folder: str, names: _Names) -> Iterator[str]:
        found = kustomization(self._tree, folder)
        if found is None or folder in self._seen:
            return
        self._seen.add(folder)
        names = names.of(found.content)
        for name, target in self._targets(found):
            if not any(_matches(target, manifest, names) for manifest in self._manifests):
                what = " ".join(f"{key}: {value}" for key, value in sorted(target.items()))
                yield (
                    f"{found.path}: {name} has a target ({what}) that matches nothing, so "
                    "kustomize leaves it out without a word"
                )
        for below in found.folders(self._tree):
            yield from self.problems(below, names)

    def _targets(self, found: Kustomization) -> Iterator[tuple[str, dict[str, Any]]]:
        """What patches and replacements are meant for, with their names."""
        for patch in _dicts([*found.listed("patches"), *found.listed("patchesJson6902")]):
            target = patch.get("target")
            deletes = "$patch: delete" in _text(self._tree, found.folder, patch)
            if isinstance(target, dict) and not deletes:
                yield str(patch.get("path") or "a patch"), target
        for replacement in _dicts(found.listed("replacements")):
            for each in _dicts(replacement.get("targets")):
                if isinstance(each.get("select"), dict):
                    yield "a replacement", each["select"]


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(tree: str, folder: str, patch: dict[str, Any]) -> str:
    if isinstance(patch.get("patch"), str):
        return str(patch["patch"])
    path = os.path.normpath(os.path.join(tree, folder, str(patch.get("path") or "")))
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _matches(target: dict[str, Any], manifest: Manifest, around: _Names) -> bool:
    version = str(manifest.content["apiVersion"]).rpartition("/")[2]
    exact = {"group": manifest.group, "version": version}
    if any(target.get(key) not in (None, value) for key, value in exact.items()):
        return False
    names = {
        candidate[len(p) : len(candidate) - len(s)]
        for candidate in (manifest.name, _HASH.sub("", manifest.name))
        for p in around.prefixes
        for s in around.suffixes
        if candidate.startswith(p) and candidate.endswith(s)
    } | {manifest.name}
    if not _pattern(target.get("kind"), [manifest.kind]) or not _pattern(target.get("name"), names):
        return False
    namespace = target.get("namespace")
    # What selectors select may have been changed by the patches themselves: they are not judged.
    return not namespace or _pattern(namespace, [str(manifest.metadata.get("namespace") or ""), ""])


def _pattern(pattern: Any, values: Iterable[str]) -> bool:
    if pattern is None:
        return True
    try:
        return any(re.fullmatch(str(pattern), value) for value in values)
    except re.error:
        return True
