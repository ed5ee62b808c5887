"""Folders that a service builds on, and in which Argo CD does not look for changes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from release.kustomization import kustomization
from release.rendering import Wanted

SHARED = "components"
"""The folder for what services share, which Argo CD watches."""
_LOCAL_CHART = re.compile(r"(?m)^[ \t-]*[\"']?repository[\"']?:\s*[\"']?file://([^\s\"'#]+)")


def problems(tree: str, wanted: Wanted) -> Iterator[str]:
    """The folders of others that `wanted` builds on, where Argo CD renders it."""
    seen: set[str] = set()
    base = f"base/{wanted.service}"
    found = _charts(tree, base) if wanted.packaging == "helm" else _walk(tree, wanted.overlay, seen)
    for path, folder in found:
        if not any(_is_below(own, folder) for own in (base, wanted.overlay, SHARED)):
            yield (
                f"{path} builds on {folder}, where Argo CD does not look for changes of "
                f"{wanted.environment}/{wanted.service}; what services share belongs below "
                f"{SHARED}/"
            )


def _walk(tree: str, folder: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """Each (file, folder that it builds on), all the way down."""
    found = kustomization(tree, os.path.normpath(folder))
    if found is None or found.folder in seen:
        return
    seen.add(found.folder)
    for below in found.folders(tree):
        yield found.path, below
        yield from _walk(tree, below, seen)


def _charts(tree: str, chart: str) -> Iterator[tuple[str, str]]:
    path = f"{chart}/Chart.yaml"
    try:
        with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return
    for found in _LOCAL_CHART.finditer(text):
        yield path, os.path.normpath(os.path.join(chart, found[1]))


def _is_below(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
