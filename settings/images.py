"""How images are written, and those that the platform itself runs beside the charts' own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from settings.model import Matching, Model
from settings.patterns import DIGEST_PATTERN

_NAME = r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
ImageName = Annotated[
    str,
    Matching(
        _NAME,
        "must be an image with its registry and without a tag, such as docker.io/library/redis",
    ),
]
ImageTag = Annotated[str, Matching(_TAG, "must be an image's tag, in quotes")]
PinnedImage = Annotated[
    str,
    Matching(
        rf"{_NAME}(:{_TAG}|(:{_TAG})?@{DIGEST_PATTERN})",
        "must be an image with its registry and a tag, a digest or both, such as "
        "docker.io/library/busybox:1.37.0@sha256: and 64 hexadecimal digits",
    ),
]


class HelperImages(Model):
    """Images of the platform's own small programs. A digest holds their publisher to them."""

    python: PinnedImage = Field(
        "public.ecr.aws/docker/library/python:3.13.7-alpine3.22",
        description="runs them; it needs python3 and the standard library",
    )
    busybox: PinnedImage = Field(
        "public.ecr.aws/docker/library/busybox:1.37.0-musl",
        description="a static /bin/busybox, which runs in every image and so shows its digest",
    )

    def names(self) -> Iterator[str]:
        """Their repositories."""
        for image in (self.python, self.busybox):
            yield re.sub(rf"(:{_TAG})?(@{DIGEST_PATTERN})?$", "", image)
