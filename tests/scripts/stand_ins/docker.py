"""The few docker commands of the pipelines, over the same JSON files as the stand-in for `aws`.

An image is the digest of its build context and of a number, so no two builds are the same. The
registry refuses to move an immutable tag, and moves the tag named in MOVING_TAG.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REGISTRY = Path(os.environ["FAKE_REGISTRY"])
LOCAL = REGISTRY / "local-images"


def main() -> int:
    command, *words = sys.argv[1:]
    own: dict[str, Callable[..., int]] = {
        "buildx": _buildx,
        "tag": _tag,
        "push": _push,
    }
    if command in own:
        return own[command](*words)
    if command == "login":
        return 0 if sys.stdin.read().strip() == "password" else 1
    if command == "build":
        return _build(words[words.index("--tag") + 1], Path(words[-1]))
    if command == "run":
        return 0
    print(f"docker: no such command {command}", file=sys.stderr)
    return 1


def _build(name: str, context: Path) -> int:
    seed = (context / "Dockerfile").read_bytes() + str(time.time_ns()).encode()
    _remember(name, f"sha256:{hashlib.sha256(seed).hexdigest()}")
    return 0


def _buildx(command: str, *words: str) -> int:
    """What it builds for several processors is in the registry only."""
    if command == "create":
        return 0
    name = words[words.index("--tag") + 1]
    if command == "imagetools":
        return _push_digest(name, words[-1].partition("@")[2])
    _build(name, Path(words[-1]))
    return _push(name) if "--push" in words else 0


def _tag(source: str, target: str) -> int:
    _remember(target, _local()[source])
    return 0


def _push(name: str) -> int:
    return _push_digest(name, _local()[name])


def _push_digest(name: str, digest: str) -> int:
    repository, _, tag = name.rpartition(":")
    images = _images(repository)
    holder = next((i for i in images if tag in i["imageTags"]), None)
    if holder and holder["imageDigest"] != digest and tag != os.environ["MOVING_TAG"]:
        print(f"tag invalid: The image tag '{tag}' is immutable", file=sys.stderr)
        return 1
    if holder:
        holder["imageTags"].remove(tag)
    image = next((i for i in images if i["imageDigest"] == digest), None)
    if image is None:
        image = {"imageDigest": digest, "imagePushedAt": time.time(), "imageTags": []}
        images.append(image)
    image["imageTags"].append(tag)
    _file(repository).write_text(json.dumps(images), encoding="utf-8")
    return 0


def _file(repository: str) -> Path:
    _, namespace, service = repository.rsplit("/", 2)
    return REGISTRY / f"{namespace}__{service}.json"


def _images(repository: str) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = json.loads(_file(repository).read_text(encoding="utf-8"))
    return images


def _local() -> dict[str, str]:
    known: dict[str, str] = json.loads(LOCAL.read_text(encoding="utf-8")) if LOCAL.exists() else {}
    return known


def _remember(name: str, digest: str) -> None:
    LOCAL.write_text(json.dumps(_local() | {name: digest}), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
