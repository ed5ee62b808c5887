# Managed: generated, so change services.yaml or the stack files instead.
"""Branches of origin that each claim to be the one that Argo CD reads, as after a renaming."""

from __future__ import annotations

import json
import os
from typing import Any

from release.configuration import PATH, identity
from release.repository import Repository


def rivals(repository: Repository, folder: str) -> list[str]:
    """The other branches whose own configuration says that Argo CD reads them.

    folder: where to put what they have now, for a look; their history stays where it is.
    """
    heads = {n: c for n, c in repository.heads.items() if n != repository.branch}
    trees = repository.objects_of(f"{commit}^{{tree}}" for commit in heads.values())
    unknown = sorted(name.partition("^")[0] for name, tree in trees.items() if tree is None)
    peek = os.path.join(folder, "heads.git")
    repository.borrow_into(peek)
    if unknown:
        # One that is gone meanwhile claims nothing.
        repository.outward(
            peek, "fetch", "--quiet", "--no-tags", "--depth=1", "--no-recurse-submodules",
            "--no-write-fetch-head", "--", repository.url, *unknown,
        )  # fmt: skip
    names = {name: f"{commit}:{PATH}" for name, commit in heads.items()}
    contents = repository.read(names.values(), peek)
    return sorted(n for n, path in names.items() if _claims(contents[path] or b"", n, repository))


def _claims(content: bytes, branch: str, repository: Repository) -> bool:
    try:
        git: Any = json.loads(content)["git"]
        return git["branch"] == branch and identity(git["url"]) == identity(repository.url)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
