"""The images that expire, as an ECR lifecycle policy: guards first, then expiry.

ECR cannot know what Git names, so no rule may expire a version. In ECR "an image that matches the
tagging requirements of a rule cannot be expired by a rule with a lower priority". The guards select
every version and the moving tag with a condition that no image meets, so no later rule can expire
these.
"""

from __future__ import annotations

import json
from typing import Any

VERSION_TAGS = "v*-*"
"""Versions are named vYYYYMMDD-<commit>."""
BUILD_TAGS = "build-*"
"""Images that are never released: previews, experiments, caches."""
SIGNATURE_TAGS = "sha256-*"
"""What cosign and others write beside an image, and write again with a second signature."""
NEVER_RELEASED = (BUILD_TAGS, SIGNATURE_TAGS)
"""Tags that may be moved, because no version looks like them."""
NEVER_DAYS = 36500
"""A hundred years: a rule needs a condition, and no image may meet that of a guard."""


def policy(moving_tag: str, *, untagged_days: int, build_days: int) -> str:
    """The lifecycle policy of one repository.

    moving_tag: the name of the fast environment, which is the tag that every build moves.
    """
    guards = [
        _tagged(pattern, NEVER_DAYS, f"guard, expires nothing: {what}")
        for pattern, what in ((VERSION_TAGS, "versions"), (moving_tag, f"what {moving_tag} runs"))
    ]
    expiry = [
        _rule({"tagStatus": "untagged"}, untagged_days, "images that lost their last tag"),
        _tagged(BUILD_TAGS, build_days, "builds that nobody may release"),
    ]
    rules = [
        {"rulePriority": priority, **rule}
        for priority, rule in enumerate([*guards, *expiry], start=1)
    ]
    return json.dumps({"rules": rules}, indent=2)


def _tagged(pattern: str, days: int, description: str) -> dict[str, Any]:
    """One pattern in each rule: of several in one list, an image would have to match all."""
    return _rule({"tagStatus": "tagged", "tagPatternList": [pattern]}, days, description)


def _rule(selected: dict[str, Any], days: int, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "selection": {
            **selected,
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": days,
        },
        "action": {"type": "expire"},
    }
