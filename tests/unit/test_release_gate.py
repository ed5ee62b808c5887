"""What a promotion asks of a version, by where it lives and by whose image it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.configuration import Platform, parse
from release.deployed import Place
from release.errors import Failure
from release.gate import Asked, Evidence, Proof, prove
from release.history import Event
from release.registry import Image, Images
from release.versions import NOTHING, Running, require_version

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ASKED = Asked(offline=False, untested=False, unverified=False, accepted="")
OFFLINE = ASKED._replace(offline=True)


def platform(**service: Any) -> Platform:
    """One service, `shop/cache`, on a fast and a safe environment."""
    place = {"account": "1", "region": "eu-central-1", "registry": "registry.example"}
    told = {
        "format": 1,
        "git": {"url": "https://github.com/acme/gitops.git", "branch": "main"},
        "environments": {"dev": {"speed": "fast", **place}, "prod": {"speed": "safe", **place}},
        "services": {
            "shop/cache": {
                "delivery": "none",
                "packaging": "kustomize",
                "image": "shop/cache",
                **service,
            }
        },
    }
    return parse(json.dumps(told), "here")


def event(seconds: int, environment: str, tag: str, digest: str) -> Event:
    return Event(
        seconds=seconds,
        commit="c" * 40,
        place=Place(environment, "shop/cache"),
        now=Running(tag, digest),
        before=NOTHING,
        rendered=(),
        kind="edit",
        by="somebody",
        committer="somebody",
        untested=False,
        unverified=False,
        accepted="",
        subject="",
        carried_over=False,
    )


def proved(where: Platform, version: str, *events: Event) -> tuple[Proof | None, list[str]]:
    problems: list[str] = []
    evidence = Evidence("shop/cache", where, events, None, follows_tag=False)
    return prove(evidence, version, OFFLINE, where, problems), problems


FOREIGN = platform(foreign="docker.io/library/redis")


BUILT = platform(delivery="commit", verify=True)
IMAGES = Images((Image(NEW, 1, ("v20261101-aaaaaaa", "hotfix-v20261101-aaaaaaa")),))
"""What the registry has: one version, of a branch of hotfixes."""


def test_a_hotfix_is_promoted_as_one_and_not_as_another_version() -> None:
    evidence = Evidence("shop/cache", BUILT, [], IMAGES, follows_tag=False)
    problems: list[str] = []
    asked = ASKED._replace(hotfix=True)
    proof = prove(evidence, "v20261101-aaaaaaa", asked, BUILT, problems)
    assert proof == Proof(NEW, untested=False, unverified=False, hotfix=True)
    assert problems == []
    assert prove(evidence, "v20261101-aaaaaaa", ASKED, BUILT, problems) is None
    assert problems == [
        "shop/cache: v20261101-aaaaaaa never ran on dev; let it run there first, or add --hotfix"
    ]


@pytest.mark.parametrize(
    "tags", [("v20261101-aaaaaaa",), ("v20261101-aaaaaaa", "hotfix-v20261101-bbbbbbb")]
)
def test_what_was_not_built_on_a_branch_of_hotfixes_is_none(tags: tuple[str, ...]) -> None:
    images = Images((Image(NEW, 1, tags), Image(OLD, 1, ("hotfix-v20261101-aaaaaaa",))))
    evidence = Evidence("shop/cache", BUILT, [], images, follows_tag=False)
    problems: list[str] = []
    asked = ASKED._replace(hotfix=True, untested=True)
    assert prove(evidence, "v20261101-aaaaaaa", asked, BUILT, problems) is None
    assert "is no hotfix (the registry has no tag hotfix-v20261101-aaaaaaa on it)" in problems[0]


def test_somebody_elses_image_is_known_from_git_alone() -> None:
    problems: list[str] = []
    evidence = Evidence("shop/cache", FOREIGN, [event(1, "dev", "7.4", OLD)], None, False)
    assert prove(evidence, "7.4", ASKED, FOREIGN, problems) == Proof(OLD, False, False)
    assert problems == []


def test_a_tag_that_was_pushed_anew_goes_with_its_newest_digest() -> None:
    newest_first = (event(2, "dev", "7.4", NEW), event(1, "dev", "7.4", OLD))
    assert proved(FOREIGN, "7.4", *newest_first) == (Proof(NEW, False, False), [])


def test_a_version_that_the_fast_environment_never_ran_is_refused() -> None:
    assert proved(FOREIGN, "7.5", event(1, "dev", "7.4", OLD)) == (
        None,
        [
            "shop/cache: Git knows no version 7.5; name it in services.yaml with its digest, and "
            "dev runs it first"
        ],
    )


def test_what_does_not_live_on_the_fast_environment_need_not_run_there() -> None:
    version = "v20251126-abcdef1"
    ran = event(1, "prod", version, OLD)
    _, problems = proved(platform(), version, ran)
    assert problems == [
        f"shop/cache: {version} never ran on dev; let it run there first, or add --untested"
    ]
    assert proved(platform(environments=["prod"]), version, ran) == (Proof(OLD, False, False), [])


def test_the_image_of_somebody_else_is_called_as_it_is() -> None:
    prod = FOREIGN.environments["prod"]
    assert FOREIGN.image(prod, "shop/cache") == "docker.io/library/redis"
    assert platform().image(prod, "shop/cache") == "registry.example/shop/cache"


def test_only_somebody_elses_version_may_be_any_tag() -> None:
    assert FOREIGN.is_version_of("shop/cache", "7.4")
    assert not FOREIGN.is_version_of("shop/cache", "7.4 ")
    assert not platform().is_version_of("shop/cache", "7.4")
    assert require_version("7.4", foreign=True) == "7.4"
    for text, foreign in (("7.4", False), ("-x", True), ("", True)):
        with pytest.raises(Failure, match="not a version"):
            require_version(text, foreign=foreign)
