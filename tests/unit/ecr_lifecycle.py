"""ECR's evaluation of lifecycle policies, as its user guide describes it, on plain data.

Every rule selects images by their tags and identifies those that meet its condition. An image
that matches the tagging requirements of a rule cannot be expired by a rule with a lower
priority (a higher number), met or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any


@dataclass
class Image:
    """A manifest: its digest, the day it was pushed, and its tags of now."""

    digest: str
    pushed: int
    tags: set[str] = field(default_factory=set)


def expired(policy: str, images: Iterable[Image], today: int) -> set[str]:
    """The digests that the policy removes on the day `today`."""
    rules = sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"]))
    everything = list(images)
    settled: set[str] = set()
    gone: set[str] = set()
    for rule in rules:
        selection = rule["selection"]
        selected = _selected(selection, everything)
        gone |= {i.digest for i in _identified(selection, selected, today)} - settled
        settled |= {image.digest for image in selected}
    return gone


def _selected(selection: Mapping[str, Any], images: Iterable[Image]) -> list[Image]:
    status = selection["tagStatus"]
    if status == "any":
        return list(images)
    if status == "untagged":
        return [image for image in images if not image.tags]
    patterns = selection.get("tagPatternList") or [
        f"{prefix}*" for prefix in selection["tagPrefixList"]
    ]
    fitting = [re.compile(translate(pattern)).match for pattern in patterns]
    return [i for i in images if all(any(map(fits, i.tags)) for fits in fitting)]


def _identified(selection: Mapping[str, Any], selected: list[Image], today: int) -> Iterable[Image]:
    count = selection["countNumber"]
    if selection["countType"] == "sinceImagePushed":
        return [image for image in selected if today - image.pushed > count]
    assert selection["countType"] == "imageCountMoreThan", selection
    return sorted(selected, key=lambda image: image.pushed, reverse=True)[count:]


class Repository:
    """An ECR repository whose tags are immutable except the moving ones."""

    def __init__(self, moving_tags: Iterable[str]) -> None:
        self.moving_tags = frozenset(moving_tags)
        self.images: dict[str, Image] = {}
        self._holders: dict[str, Image] = {}

    def push(self, digest: str, today: int, *tags: str) -> None:
        """Push a manifest; pushing one that is there does not make it younger."""
        image = self.images.setdefault(digest, Image(digest, today))
        for tag in tags:
            holder = self.holder(tag)
            if holder and holder is not image:
                assert tag in self.moving_tags, f"{tag} is immutable"
                holder.tags.discard(tag)
            image.tags.add(tag)
            self._holders[tag] = image

    def holder(self, tag: str) -> Image | None:
        return self._holders.get(tag)

    def expire(self, policy: str, today: int) -> None:
        for digest in expired(policy, self.images.values(), today):
            for tag in self.images.pop(digest).tags:
                del self._holders[tag]
