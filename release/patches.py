"""Patches of a kustomization that change nothing, because their target matches nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from release.manifests import Manifest
from release.subset_yaml import YamlError, load

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HASH = re.compile(r"-[0-9a-z]{10}$")


def problems(tree: str, folder: str, manifests: Sequence[Manifest]) -> Iterator[str]:
    """The patches of `folder` (relative to `tree`), and of what it builds on, that match nothing.

    `manifests` is what the whole renders to. Where that is nothing, nothing was released.
    """
    if manifests:
        yield from _problems(tree, os.path.normpath(folder), manifests, set(), ("",), ("",))


def _problems(
    tree: str,
    folder: str,
    manifests: Sequence[Manifest],
    seen: set[str],
    prefixes: Sequence[str],
    suffixes: Sequence[str],
) -> Iterator[str]:
    name = next((n for n in _NAMES if os.path.isfile(os.path.join(tree, folder, n))), None)
    if name is None or folder in seen or folder.startswith(".."):
        return
    seen.add(folder)
    path = f"{folder}/{name}"
    try:
        with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as stream:
            content = load(stream.read())
    except YamlError:
        return  # kustomize understands more of YAML than is read here
    if not isinstance(content, dict):
        return
    prefixes = [f"{own}{p}" for p in prefixes for own in {"", str(content.get("namePrefix") or "")}]
    suffixes = [f"{s}{own}" for s in suffixes for own in {"", str(content.get("nameSuffix") or "")}]
    for patch in [*_list(content, "patches"), *_list(content, "patchesJson6902")]:
        target = patch.get("target") if isinstance(patch, dict) else None
        if not isinstance(target, dict) or "$patch: delete" in _text(tree, folder, patch):
            continue
        if not any(_matches(target, m, prefixes, suffixes) for m in manifests):
            what = " ".join(f"{key}: {value}" for key, value in sorted(target.items()))
            which = patch.get("path") or "a patch"
            yield (
                f"{path}: {which} has a target ({what}) that matches nothing, "
                "so kustomize leaves it out without a word"
            )
    for reference in [*_list(content, "resources"), *_list(content, "components")]:
        if isinstance(reference, str) and "://" not in reference:
            there = os.path.normpath(os.path.join(folder, reference))
            if os.path.isdir(os.path.join(tree, there)):
                yield from _problems(tree, there, manifests, seen, prefixes, suffixes)


def _list(content: dict[str, Any], key: str) -> list[Any]:
    found = content.get(key)
    return found if isinstance(found, list) else []


def _text(tree: str, folder: str, patch: dict[str, Any]) -> str:
    if isinstance(patch.get("patch"), str):
        return str(patch["patch"])
    path = os.path.normpath(os.path.join(tree, folder, str(patch.get("path") or "")))
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _matches(
    target: dict[str, Any], manifest: Manifest, prefixes: Iterable[str], suffixes: Iterable[str]
) -> bool:
    version = str(manifest.content["apiVersion"]).rpartition("/")[2]
    exact = {"group": manifest.group, "version": version}
    if any(target.get(key) not in (None, value) for key, value in exact.items()):
        return False
    names = {
        candidate[len(p) : len(candidate) - len(s)]
        for candidate in (manifest.name, _HASH.sub("", manifest.name))
        for p in prefixes
        for s in suffixes
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
