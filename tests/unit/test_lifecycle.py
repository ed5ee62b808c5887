"""A year of builds and promotions: no version that an environment names is ever lost."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import cache

import pytest
from moto.ecr.policy_validation import EcrLifecyclePolicyValidator

from components.registry import lifecycle
from tests.unit.ecr_lifecycle import Image, Repository, expired

DAYS = 365
SEEDS = range(4)
POLICY = lifecycle.policy("dev", untagged_days=7, build_days=30)


@dataclass
class History:
    """What a year left behind."""

    repository: Repository
    released: dict[str, str] = field(default_factory=dict)
    """Digests by version, of every version that was built."""
    lost: list[str] = field(default_factory=list)
    """Days on which an environment named an image that was gone."""
    oldest_in_prod: int = 0
    """The greatest age, in days, of a version while prod ran it."""


@cache
def live_through_a_year(policy: str, seed: int) -> History:
    """Builds, previews, failed pushes, promotions and rollbacks at random, a policy each night."""
    chance = random.Random(seed)  # noqa: S311 -- the same year every time, nothing secret
    history = History(Repository(["dev"]))
    repository, built_on = history.repository, dict[str, int]()
    prod: str | None = None
    for day in range(DAYS):
        for number in range(chance.choice([0, 0, 1, 4])):
            version = f"v2026{day:04}-{number:07x}"
            digest = f"sha256:{version}"
            if chance.random() < 0.3:  # a branch was built before, bit for bit the same
                repository.push(digest, max(0, day - 20), f"build-{version}")
            repository.push(digest, day, version, "dev")
            history.released[version], built_on[version] = digest, day
        for number in range(chance.randrange(3)):
            repository.push(f"sha256:preview-{day}-{number}", day, f"build-{day}-{number}")
        repository.push(f"sha256:broken-off-{day}", day)
        if history.released and chance.random() < 0.01:
            prod = chance.choice(sorted(history.released))  # promoted, or rolled back to
        repository.expire(policy, day)
        named = {history.released[prod]} if prod else set()
        if missing := named - repository.images.keys():
            history.lost.append(f"day {day}: prod runs {missing}")
        if history.released and repository.holder("dev") is None:
            history.lost.append(f"day {day}: dev runs nothing")
        if prod:
            history.oldest_in_prod = max(history.oldest_in_prod, day - built_on[prod])
    return history


@pytest.mark.parametrize("seed", SEEDS)
def test_no_version_is_lost_in_a_year(seed: int) -> None:
    history = live_through_a_year(POLICY, seed)

    assert history.lost == []
    assert history.released.items() <= {
        (tag, image.digest) for image in history.repository.images.values() for tag in image.tags
    }, "any version can be promoted or rolled back to, however old"


@pytest.mark.parametrize("seed", SEEDS)
def test_what_nobody_may_release_is_gone_in_time(seed: int) -> None:
    images = live_through_a_year(POLICY, seed).repository.images.values()

    builds = [i for i in images if all(tag.startswith("build-") for tag in i.tags) and i.tags]
    untagged = [image for image in images if not image.tags]
    assert all(DAYS - 1 - image.pushed <= 30 for image in builds)
    assert all(DAYS - 1 - image.pushed <= 7 for image in untagged)
    assert builds and untagged, "the year must have had some"


@pytest.mark.parametrize(
    "rule",
    [
        {"tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 100},
        {
            "tagPatternList": ["v*"],
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 90,
        },
        {
            "tagPatternList": ["build-*"],
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 30,
        },
    ],
    ids=["the newest hundred", "ninety days", "builds without a guard for versions"],
)
def test_the_usual_rules_do_lose_versions_that_prod_runs(rule: dict[str, object]) -> None:
    """So the year is hard enough to tell a safe policy from an unsafe one."""
    usual = json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "selection": {"tagStatus": "tagged", **rule},
                    "action": {"type": "expire"},
                }
            ]
        }
    )

    assert any(live_through_a_year(usual, seed).lost for seed in SEEDS)


def test_a_rule_that_somebody_adds_below_cannot_reach_a_version() -> None:
    policy = json.loads(POLICY)
    policy["rules"].append(
        {
            "rulePriority": 99,
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": 1,
            },
            "action": {"type": "expire"},
        }
    )
    images = [Image(f"sha256:{age}", -age, {f"v20250101-{age:07x}"}) for age in range(400)]
    images.append(Image("sha256:moving", -1000, {"dev"}))

    assert expired(json.dumps(policy), images, today=0) == set()


def test_the_policy_has_no_pattern_beside_another() -> None:
    rules = json.loads(POLICY)["rules"]

    tagged = [r["selection"]["tagPatternList"] for r in rules if "tagPatternList" in r["selection"]]
    assert tagged == [["v*-*"], ["dev"], ["build-*"]], (
        "an image has to match every pattern of a list, so each needs a rule of its own"
    )


def test_ecr_accepts_the_policy() -> None:
    EcrLifecyclePolicyValidator(POLICY).validate()  # raises on a fault


def test_the_policy_is_written_a_line_a_value() -> None:
    text = lifecycle.policy("dev", untagged_days=7, build_days=30)
    assert text.startswith('{\n  "rules": [\n    {\n      "rulePriority": 1,\n')
