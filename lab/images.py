"""Container images from plain files, pushed and pulled without a container engine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence

import requests

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
TIMEOUT = 30


def push(registry: str, repository: str, tags: Sequence[str], files: Mapping[str, bytes]) -> str:
    """Pushes an image with one layer of `files` under every tag; returns its digest.

    The same files give the same digest. Raises requests.HTTPError when the registry refuses.
    """
    layer = _layer(files)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [_digest(gzip.decompress(layer))]},
            "config": {},
        },
        sort_keys=True,
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(CONFIG_TYPE, config),
            "layers": [_descriptor(LAYER_TYPE, layer)],
        },
        sort_keys=True,
    ).encode()
    base = f"http://{registry}/v2/{repository}"
    for blob in (config, layer):
        _push_blob(base, blob)
    for tag in tags:
        _put(f"{base}/manifests/{tag}", manifest, MANIFEST_TYPE)
    return _digest(manifest)


def pull(registry: str, repository: str, reference: str) -> dict[str, str]:
    """The text files of an image that `push` made, by tag or digest.

    Raises requests.HTTPError where there is none.
    """
    base = f"http://{registry}/v2/{repository}"
    manifest = _get(f"{base}/manifests/{reference}", MANIFEST_TYPE).json()
    layer = _get(f"{base}/blobs/{manifest['layers'][0]['digest']}", LAYER_TYPE).content
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:gz") as archive:
        return {
            entry.name: content.read().decode()
            for entry in archive
            if (content := archive.extractfile(entry))
        }


def tags(registry: str, repository: str) -> list[str]:
    """The tags of a repository, sorted; none where there is no such repository."""
    answer = requests.get(f"http://{registry}/v2/{repository}/tags/list", timeout=TIMEOUT)
    if answer.status_code == requests.codes.not_found:
        return []
    answer.raise_for_status()
    return sorted(answer.json()["tags"] or [])


def digest_of(registry: str, repository: str, reference: str) -> str | None:
    """The digest behind a tag, or None where the registry has no such image."""
    answer = requests.head(
        f"http://{registry}/v2/{repository}/manifests/{reference}",
        headers={"Accept": MANIFEST_TYPE},
        timeout=TIMEOUT,
    )
    if answer.status_code == requests.codes.not_found:
        return None
    answer.raise_for_status()
    return answer.headers["Docker-Content-Digest"]


def _get(url: str, accept: str) -> requests.Response:
    answer = requests.get(url, headers={"Accept": accept}, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer


def _push_blob(base: str, blob: bytes) -> None:
    started = requests.post(f"{base}/blobs/uploads/", timeout=TIMEOUT)
    started.raise_for_status()
    location = started.headers["Location"]
    separator = "&" if "?" in location else "?"
    _put(f"{location}{separator}digest={_digest(blob)}", blob, "application/octet-stream")


def _put(url: str, body: bytes, content_type: str) -> None:
    answer = requests.put(url, data=body, headers={"Content-Type": content_type}, timeout=TIMEOUT)
    answer.raise_for_status()


def _layer(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of `files`, without times or users."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(blob), "digest": _digest(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
