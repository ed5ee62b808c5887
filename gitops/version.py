"""The version files: what runs in an environment, byte for byte.

Releases write these files too (`release/versions.py`); a test compares the two. A service that was
never released renders to nothing: kustomize drops resources that are `local-config`, and the charts
render nothing while the tag is empty.
"""

from __future__ import annotations

import re
from typing import Literal

from settings.patterns import DIGEST_PATTERN, VERSION_PATTERN

VersionFile = Literal["kustomize", "helm", "chart"]
"""The forms: of both packagings of a service, and of a package."""

_RELEASED = "# What runs here. Only a release moves this file."
_UNRELEASED = (
    "# Nothing was released here yet, so nothing is deployed. Only a release moves this file."
)
_COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component"

_CHART = "apiVersion: v2\nname: package\nversion: 0.0.0"

UNRELEASED_KUSTOMIZE = f"""\
{_UNRELEASED}
{_COMPONENT}
commonAnnotations:
  config.kubernetes.io/local-config: "true"
"""
UNRELEASED_HELM = f"""\
{_UNRELEASED}
image:
  tag: ""
  digest: ""
"""
UNRELEASED_CHART = f"""\
{_UNRELEASED}
{_CHART}
"""


def released_kustomize(image: str, tag: str, digest: str = "") -> str:
    """`version/kustomization.yaml` that runs `image` at `tag`, pinned to `digest` if given."""
    entry = f"  - name: {image}\n    newTag: {_written(tag, digest)}\n"
    pinned = f"    digest: {digest}\n" if digest else ""
    return f"{_RELEASED}\n{_COMPONENT}\nimages:\n{entry}{pinned}"


def released_helm(tag: str, digest: str = "") -> str:
    """`version/values.yaml` that runs `tag`, pinned to `digest` if given."""
    return f"{_RELEASED}\nimage:\n  tag: {_written(tag, digest)}\n" + (
        f"  digest: {digest}\n" if digest else ""
    )


def released_chart(address: str, version: str, digest: str) -> str:
    """`version/Chart.yaml`: a chart whose only dependency is the one at `address`."""
    repository, _, name = address.rpartition("/")
    return (
        f"{_RELEASED}\n{_CHART}\ndependencies:\n"
        f"  - name: {name}\n    repository: {repository}\n"
        f"    version: {_written(version, digest)}\n"
        f"annotations:\n  digest: {digest}\n"
    )


def _written(tag: str, digest: str) -> str:
    """A tag as YAML, in quotes where it could look like a number."""
    return f'"{tag}"' if digest and not re.fullmatch(VERSION_PATTERN, tag) else tag


def version_file(
    packaging: VersionFile, image: str, tag: str = "", digest: str = ""
) -> tuple[str, str]:
    """Name and first text of a version file: what runs, or not released yet.

    image: its name without a tag; of a package, repository and name of its chart.
    """
    if packaging == "chart":
        return "Chart.yaml", released_chart(image, tag, digest) if tag else UNRELEASED_CHART
    if packaging == "helm":
        return "values.yaml", released_helm(tag, digest) if tag else UNRELEASED_HELM
    return (
        "kustomization.yaml",
        released_kustomize(image, tag, digest) if tag else UNRELEASED_KUSTOMIZE,
    )


_TAG_AND_DIGEST = re.compile(
    rf'"?(?P<tag>[\w.-]+)"?\n +digest: (?P<digest>{DIGEST_PATTERN})\n'
    rf"|(?P<alone>{VERSION_PATTERN}|[a-z][-a-z0-9]*)\n"
)
"""A tag without a digest is one of ours; the images of others have both."""
_IMAGE = re.compile(r"  - name: (?P<image>[\w.:/-]+)\n    newTag: ")


_DEPENDENCY = re.compile(
    r"  - name: (?P<name>\S+)\n    repository: (?P<repository>\S+)\n"
    rf'    version: "(?P<version>[\w.+-]+)"\nannotations:\n  digest: (?P<digest>{DIGEST_PATTERN})\n'
)
UNRELEASED = frozenset({UNRELEASED_KUSTOMIZE, UNRELEASED_HELM, UNRELEASED_CHART})


def is_version_file(text: str) -> bool:
    """Whether `text` is exactly one of the forms of this module, and no hand has edited it."""
    if text in UNRELEASED:
        return True
    if chart := _DEPENDENCY.search(text):
        address = f"{chart['repository']}/{chart['name']}"
        return text == released_chart(address, chart["version"], chart["digest"])
    image = _IMAGE.search(text)
    ending = _TAG_AND_DIGEST.search(text, image.end() if image else len(released_helm("")) - 1)
    if ending is None:
        return False
    tag, digest = ending["tag"] or ending["alone"], ending["digest"] or ""
    return text == (
        released_kustomize(image["image"], tag, digest) if image else released_helm(tag, digest)
    )
