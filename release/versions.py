"""Versions, digests, and the files that say which of them an environment runs."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple, Optional

from release.errors import USAGE, Failure
from release.subset_yaml import YamlError, load

VERSION = re.compile(r"v[0-9]{8}-[0-9a-f]{7}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}")
"""Of an image, or a version of a chart."""
_WORD = re.compile(r"[!-~]*")

_RELEASED = "# What runs here. Only a release moves this file.\n"
_COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
_CHART = "apiVersion: v2\nname: package\nversion: 0.0.0\n"
_FILES = {"chart": "Chart.yaml", "kustomize": "kustomization.yaml", "helm": "values.yaml"}
"""What the version file is called, by packaging; the first is read where there are several."""
_CANONICAL = re.compile(
    r"(?:# What runs here\. Only a release moves this file\.\n)"
    r"(?:apiVersion: kustomize\.config\.k8s\.io/v1alpha1\nkind: Component\nimages:\n"
    r"  - name: (?P<image>[\w.:/-]+)\n    newTag: \"?(?P<new>[\w.-]+)\"?\n"
    r"(?:    digest: (?P<pinned>sha256:[0-9a-f]{64})\n)?"
    r"|image:\n  tag: \"?(?P<tag>[\w.-]+)\"?\n(?:  digest: (?P<digest>sha256:[0-9a-f]{64})\n)?)",
    re.ASCII,
)


class Running(NamedTuple):
    """What a version file names; `tag` is empty where nothing was released."""

    tag: str
    digest: str
    readable: bool = True
    """Whether the file is one that says so; otherwise the two are empty."""

    def __bool__(self) -> bool:
        return bool(self.tag)


NOTHING = Running("", "")
UNREADABLE = Running("", "", readable=False)


def is_version(text: str) -> bool:
    return VERSION.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    return DIGEST.fullmatch(text) is not None


def require_version(text: str, *, foreign: bool = False) -> str:
    """`text`, if it is a version, or the tag of a foreign image. Raises Failure."""
    if not is_version(text) and not (foreign and is_tag(text)):
        raise Failure(
            USAGE,
            f"not a version: {text!r}",
            "a version looks like v20250819-f3b8541; without one, the script lists those there are",
        )
    return text


def file_name(packaging: str) -> str:
    return _FILES[packaging]


def packaging_of(file: str) -> str:
    """What a version file of that name, with or without its ending, is the file of."""
    return next(p for p, name in _FILES.items() if name.partition(".")[0] == file.partition(".")[0])


def packagings() -> tuple[str, ...]:
    """In the order in which their version files count."""
    return tuple(_FILES)


def file_text(packaging: str, image: str, version: str, digest: str) -> str:
    """The version file of a release, byte for byte as the generator writes it.

    image: without a tag; of a package, repository and name of its chart.
    """
    if packaging == "chart":
        repository, _, name = image.rpartition("/")
        return (
            f"{_RELEASED}{_CHART}dependencies:\n  - name: {name}\n    repository: {repository}\n"
            f"    version: {_written(version)}\nannotations:\n  digest: {digest}\n"
        )
    if packaging == "helm":
        return f"{_RELEASED}image:\n  tag: {_written(version)}\n  digest: {digest}\n"
    return (
        f"{_RELEASED}{_COMPONENT}images:\n"
        f"  - name: {image}\n    newTag: {_written(version)}\n    digest: {digest}\n"
    )


def _written(version: str) -> str:
    """A version as YAML, in quotes where it could look like a number."""
    return version if is_version(version) else f'"{version}"'


@cache
def read(text: str, packaging: str, name: str) -> Running:
    """What a version file names of the image `name`, in whatever way YAML says it."""
    found = _CANONICAL.fullmatch(text)
    if found and _is_of(found["image"], packaging, name):
        return Running(found["new"] or found["tag"], found["pinned"] or found["digest"] or "")
    try:
        content = load(text)
    except YamlError:
        return UNREADABLE
    if packaging == "chart":
        return _chart_of(content, name)
    entry = _values(content) if packaging == "helm" else _image_of(content, name)
    if entry is None:
        return NOTHING if _names_nothing(content) else UNREADABLE
    tag = entry.get("tag" if packaging == "helm" else "newTag")
    digest = entry.get("digest")
    if not _is_word(tag) or not _is_word(digest):
        return UNREADABLE
    return Running(tag or "", digest or "")


def _chart_of(content: object, address: str) -> Running:
    """What a package's chart depends on: the chart at `address` and nothing else."""
    if not isinstance(content, dict):
        return NOTHING if content is None else UNREADABLE
    found, told = content.get("dependencies"), content.get("annotations")
    if not found:
        return NOTHING
    digest = told.get("digest") if isinstance(told, dict) else None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        return UNREADABLE
    entry = found[0]
    same = f"{entry.get('repository')}/{entry.get('name')}" == address
    version = entry.get("version")
    if not same or not version or not _is_word(version) or not _is_word(digest):
        return UNREADABLE
    return Running(version, digest or "")


def _is_of(image: Optional[str], packaging: str, name: str) -> bool:
    """Whether an image is the one of that name, in whichever registry; a chart's has no name."""
    if packaging == "helm" or image is None:
        return packaging == "helm" and image is None
    return image == name or image.endswith(f"/{name}")


def _names_nothing(content: object) -> bool:
    """Whether a file deploys no image at all, as one of a service that was never released."""
    if not isinstance(content, dict):
        return content is None
    return not content.get("images") and not content.get("image")


def _is_word(value: object) -> bool:
    """Whether it can be shown and recorded: of anything else a line could say something else."""
    return value is None or (isinstance(value, str) and _WORD.fullmatch(value) is not None)


def _values(content: object) -> Optional[dict[str, Optional[str]]]:
    image = content.get("image") if isinstance(content, dict) else None
    return image if isinstance(image, dict) else None


def _image_of(content: object, image: str) -> Optional[dict[str, Optional[str]]]:
    """The entry of a kustomization's images that is of the image, in whichever registry."""
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list):
        return None
    entries = [entry for entry in images if isinstance(entry, dict)]
    for entry in entries:
        name = entry.get("name")
        if isinstance(name, str) and _is_of(name, "kustomize", image):
            return entry
    return None
