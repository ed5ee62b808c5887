"""The lock of one scope: the hash of every generated file as it was last written.

It tells an untouched file from an edited one, and remembers what was once generated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath

from gitops import layout
from settings.problems import UserError

_COMMENT = (
    "Hashes of the generated files as last written, to tell untouched from edited. Not to edit."
)
_HASH = re.compile(r"[0-9a-f]{64}")


class LockError(UserError):
    """A lock file is not what this module writes."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}; take the file from the last commit "
            f"(git checkout HEAD -- {path}), or delete it: then every file that differs from "
            "what is generated counts as edited"
        )


def hash_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def dump(hashes: Mapping[str, str]) -> str:
    """The text of a lock file: sorted, one file a line, so that it merges well."""
    return json.dumps({"comment": _COMMENT, "files": dict(sorted(hashes.items()))}, indent=2) + "\n"


def parse(scope: str, text: str) -> dict[str, str]:
    """The hashes in the lock of `scope`. Raises LockError."""
    path = layout.lock(scope)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise LockError(path, f"is not JSON ({error})") from error
    hashes = content.get("files") if isinstance(content, dict) else None
    if not isinstance(hashes, dict):
        raise LockError(path, "has no mapping `files`")
    for name, value in hashes.items():
        if not _is_inside(name):
            raise LockError(path, f"names {name!r}, which is no path inside the repository")
        if layout.scope_of(name) != scope:
            raise LockError(path, f"names {name!r}, which belongs into another lock")
        if not (isinstance(value, str) and _HASH.fullmatch(value)):
            raise LockError(path, f"has no SHA-256 hash for {name!r}")
    return dict(hashes)


def _is_inside(name: str) -> bool:
    """Whether `name` is a plain relative path below the repository and outside `.git`."""
    path = PurePosixPath(name)
    return (
        name == path.as_posix()
        and not path.is_absolute()
        and ".." not in path.parts
        and path.parts[:1] not in ((), (".git",))
    )
