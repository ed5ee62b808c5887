"""The volumes of a pod as folders, and what the pod calls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lab.pod import Lookup, Object, UnresolvedError, content

Token = Callable[[], str]


class Volumes:
    """The volumes of one pod below a folder.

    Outside a container a mount path is another folder. So it is replaced wherever the pod names it:
    in commands, and in the files of ConfigMaps.
    """

    def __init__(self, folder: Path, pod: Object, lookup: Lookup, token: Token) -> None:
        self.folder = folder
        self._volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", ())}
        self._lookup = lookup
        self._token = token

    def mount(self, container: Object) -> dict[str, str]:
        """Write what the container mounts; returns folders by mount path.

        Raises UnresolvedError for a ConfigMap, a Secret or a kind of volume that is not there.
        """
        mounts = container.get("volumeMounts", ())
        places = {mount["mountPath"]: str(self._place(mount)) for mount in mounts}
        for name in {mount["name"] for mount in mounts}:
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            for file, text in self._files(self._volumes[name]).items():
                (folder / file).write_text(translated(text, places))
        return places

    def _place(self, mount: Object) -> Path:
        place: Path = self.folder / mount["name"] / mount.get("subPath", "")
        return place

    def _files(self, volume: Object) -> dict[str, str]:
        """The files that Kubernetes puts into a volume."""
        if projected := volume.get("projected"):
            return self._projected(projected["sources"])
        if source := volume.get("configMap"):
            return _chosen(source, content("configmaps", source, self._lookup))
        if source := volume.get("secret"):
            named = {**source, "name": source["secretName"]}
            return _chosen(source, content("secrets", named, self._lookup))
        if "emptyDir" in volume or "persistentVolumeClaim" in volume:
            return {}
        raise UnresolvedError(f"the volume {volume['name']} is of a kind that the lab lacks")

    def _projected(self, sources: Iterable[Object]) -> dict[str, str]:
        files: dict[str, str] = {}
        for source in sources:
            if account := source.get("serviceAccountToken"):
                files[account["path"]] = self._token()
            else:
                (kind,) = source
                files |= self._files({"name": kind, kind: source[kind]})
        return files


def translated(text: str, places: Mapping[str, str]) -> str:
    """`text` with each of the paths replaced, where it is a path of its own or begins one."""
    if not places:
        return text
    longest_first = sorted(places, key=len, reverse=True)
    paths = "|".join(re.escape(path) for path in longest_first)
    return re.sub(rf"(?<![\w./-])({paths})(?![\w-])", lambda found: places[found[0]], text)


def _chosen(source: Object, found: dict[str, str] | None) -> dict[str, str]:
    """What `items` choose, under the names that they give; everything without `items`."""
    found = found or {}
    if "items" not in source:
        return found
    return {item["path"]: found[item["key"]] for item in source["items"]}
