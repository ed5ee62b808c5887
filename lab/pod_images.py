"""The images of containers that run as processes: where they come from, and their files."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from lab import images
from lab.pod import Object

Files = Mapping[str, str]

_LAUNCHER = '#!/bin/sh\nexec {} "$@"\n'
PLAYED: Mapping[str, Files] = MappingProxyType(
    {
        "busybox": {"bin/busybox": "#!/bin/sh\n"},
        "python": {"bin/python3": _LAUNCHER.format(sys.executable)},
    }
)
"""Images of other registries that the lab can run, by the last word of their name."""


class PullError(Exception):
    """The registry does not have the image; the message says which."""


class Node:
    """The images that one node has: a tag means what it meant when it was pulled."""

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self._digests: dict[str, str] = {}

    def image_id(self, container: Object) -> str:
        """The image that a container runs, by its digest where the lab's registry has it.

        It is pulled where the container says so, or where the node does not have it. Raises
        PullError.
        """
        image: str = container["image"]
        if not self._ours(image) or "@" in image:
            return re.sub(r":[^@/]+@", "@", image)
        if container.get("imagePullPolicy") == "Always" or image not in self._digests:
            self._digests[image] = self._pulled(image)
        return f"{image.rpartition(':')[0]}@{self._digests[image]}"

    def root(self, image_id: str, folder: Path) -> Path | None:
        """The image's files, written into `folder`; None for an image that the lab cannot run.

        Raises PullError.
        """
        files = self._files(image_id)
        if files is None:
            return None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        return folder

    def _ours(self, image: str) -> bool:
        return image.startswith(f"{self.registry}/")

    def _pulled(self, image: str) -> str:
        repository, _, tag = image.removeprefix(f"{self.registry}/").rpartition(":")
        digest = images.digest_of(self.registry, repository, tag)
        if digest is None:
            raise PullError(f"{image} is not in the registry")
        return digest

    def _files(self, image_id: str) -> Files | None:
        if not self._ours(image_id):
            return PLAYED.get(re.split(r"[:@]", image_id.rpartition("/")[2])[0])
        repository, _, digest = image_id.removeprefix(f"{self.registry}/").partition("@")
        return images.pull(self.registry, repository, digest)
