"""Git's id of a folder, which follows from its content. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha1

from gitops.file import File


def tree_id(files: Mapping[str, File]) -> str:
    """The id that Git gives to a folder with `files`, by their path in it: 40 hex digits."""
    folders: dict[str, dict[str, File]] = {}
    entries: list[tuple[str, bytes]] = []
    for path, file in files.items():
        first, _, rest = path.partition("/")
        if rest:
            folders.setdefault(first, {})[rest] = file
        else:
            mode = "100755" if file.executable else "100644"
            entries.append((first, _entry(mode, first, _id("blob", file.text.encode()))))
    for name, inner in folders.items():
        # Git sorts a folder as if its name ended in a slash.
        entries.append((f"{name}/", _entry("40000", name, tree_id(inner))))
    return _id("tree", b"".join(entry for _, entry in sorted(entries)))


def _entry(mode: str, name: str, identity: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(identity)


def _id(kind: str, content: bytes) -> str:
    # Git's names are SHA-1: which algorithm is not ours to choose.
    return sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
