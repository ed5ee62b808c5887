# Managed: generated, so change services.yaml or the stack files instead.
"""Kustomizations as files of the repository: what one says, and on which folders it builds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from release.subset_yaml import YamlError, load

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class Kustomization(NamedTuple):
    """The kustomization of a folder."""

    folder: str
    """Relative to the tree."""
    path: str
    """The file."""
    content: dict[str, Any]

    def listed(self, key: str) -> list[Any]:
        found = self.content.get(key)
        return found if isinstance(found, list) else []

    def folders(self, tree: str) -> Iterator[str]:
        """The folders of the tree that it builds on."""
        for reference in [*self.listed("resources"), *self.listed("components")]:
            if isinstance(reference, str) and "://" not in reference:
                folder = os.path.normpath(os.path.join(self.folder, reference))
                if os.path.isdir(os.path.join(tree, folder)):
                    yield folder


def kustomization(tree: str, folder: str) -> Optional[Kustomization]:
    """That of `folder`; None where there is none, or none that can be read here."""
    found = (f"{folder}/{name}" for name in _NAMES)
    path = next((p for p in found if os.path.isfile(os.path.join(tree, p))), None)
    if path is None or folder.startswith(".."):
        return None
    with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as stream:
        try:
            content = load(stream.read())
        except YamlError:
            return None  # kustomize understands more of YAML than is read here
    return Kustomization(folder, path, content) if isinstance(content, dict) else None
