"""Where a rollback goes: literal pasts, and random ones against a model of a few lines."""

from __future__ import annotations

import random

import pytest

from release.deployed import Deployed, Manifests, Place
from release.history import Event
from release.rollback import pile, way
from release.versions import NOTHING, UNREADABLE, Running

PLACE = Place("prod", "shop/cart")
STEPS = 40


def running(name: str) -> Running:
    return Running(f"v20261101-{name:0>7}", f"sha256:{name:0>64}")


def event(kind: str, name: str, rendered: str = "", **others: bool) -> Event:
    """`rendered` stands for the manifests; none where it is empty."""
    return Event(
        seconds=0,
        commit="",
        place=PLACE,
        now=running(name) if name else UNREADABLE,
        before=NOTHING,
        rendered=manifests(rendered),
        kind=kind,
        by="Ada",
        committer="Ada",
        untested=False,
        unverified=False,
        accepted="",
        subject="",
        carried_over=others.get("carried_over", False),
    )


def manifests(rendered: str) -> Manifests:
    return (("deployment.yaml", rendered),) if rendered else ()


def goes_back(past: list[Event], version: str | None = None) -> tuple[str, Manifests] | None:
    """Where what the last of `past` left would go back to; the past is told from the oldest on."""
    last = past[-1]
    there = Deployed("kustomize", last.now, "")
    found = way(there, pile(past[::-1]), last.rendered, running(version).tag if version else None)
    return (found.back.running.tag[-1], found.back.rendered) if found.back else None


@pytest.mark.parametrize(
    ("past", "back"),
    [
        ("p1a", None),
        ("p1a p2b", "1a"),
        ("p1a p2b p3c", "2b"),
        ("p1a p2b p3c r2b", "1a"),
        ("p1a p2b p3c r2b p4d", "2b"),
        ("p1a p2b p3c r2b r1a", None),
        ("p1a p2b p2c", "2b"),  # configuration only
        ("p1a p2b e3", "2b"),  # by hand: the version file alone
        ("p1a p2b e3b", "1a"),
        ("p1a p2b e3b e4b", "1a"),
        ("p1a p2b e3b p3c", "2b"),
        ("p1a p2b m2c", "2b"),  # by hand: the manifests alone
        ("p1a p2b e1a", None),  # a revert of the promotion's commit
        ("p1a p2b p3c e2b", "1a"),
        ("p1a p2b e1a e2b", "1a"),  # a revert of the revert
        ("p1a p2b e1a e2b e1a", None),
        ("p1a p2b p2c m2b", "1a"),  # a revert of a configuration alone
        ("p1a p2b r1a e2b", "1a"),  # a revert of a rollback
        ("p1a p2b e3b m3c", "2b"),
        ("p1a p2b m2c p2b", "2c"),
        ("p1a p2b e", "2b"),  # conflict markers
        ("p1a p2b p1c", "2b"),  # promoted back
        ("p1 p2", "1"),  # before manifests were rendered into Git
        ("p1 p2 a2b p3c", "2b"),
        ("p1 p2 a2b", "1"),
        ("p1a p2b p3c r1a p2d", "1a"),
    ],
)
def test_the_way_back_is_what_lies_below_the_top(past: str, back: str | None) -> None:
    events = [read(word) for word in past.split()]
    wanted = (back[0], manifests(back[1:])) if back else None
    assert goes_back(events) == wanted


def read(word: str) -> Event:
    kind = {"p": "promotion", "r": "rollback"}.get(word[0], "edit")
    told = event(kind, word[1:2], word[2:], carried_over=word[0] == "a")
    return told._replace(before=told.now) if word[0] == "m" else told


@pytest.mark.parametrize(
    ("past", "version", "back"),
    [
        ("p1a p2b p3c", "1", "1"),
        ("p1a p2b p3c", "3", None),  # runs already
        ("p1a p2b p3c r1a", "3", None),  # forward
        ("p1a p2b p3c r1a", "2", None),  # forward
        ("p1a p2b p1c p3d", "1", "1"),
        ("p1a p2b", "9", None),
    ],
)
def test_a_named_version_is_one_that_ran_before_and_never_one_ahead(
    past: str, version: str, back: str | None
) -> None:
    found = goes_back([read(word) for word in past.split()], version)
    assert (found[0] if found else None) == back


def test_of_a_named_version_the_last_state_comes_back() -> None:
    assert goes_back([read(w) for w in ["p1a", "p1b", "p2c"]], "1") == ("1", manifests("b"))


def test_a_digest_that_a_hand_has_edited_never_ran_and_is_mended_by_name() -> None:
    edited = event("edit", "1")._replace(now=Running(running("1").tag, f"sha256:{'f' * 64}"))
    past = [read("p0z"), read("p1a"), edited._replace(rendered=manifests("a"))]
    assert goes_back(past) == ("0", manifests("z"))
    assert goes_back(past, "1") == ("1", manifests("a"))
    assert goes_back([*past, read("p1a")], "1") is None


@pytest.mark.parametrize("seed", range(50))
def test_random_pasts_go_back_as_a_stack_does(seed: int) -> None:
    """A promotion puts a state on the stack, a rollback takes off what lies above its state."""
    chance = random.Random(seed)  # noqa: S311 - the same at every run
    stack: list[tuple[str, str]] = []
    past: list[Event] = []
    for step in range(STEPS):
        if len(stack) > 1 and chance.random() < 0.4:
            del stack[chance.randrange(1, len(stack)) :]
            past.append(event("rollback", *stack[-1]))
        else:
            stack.append((chance.choice("123"), f"{step:x}"))
            past.append(event("promotion", *stack[-1]))
        below = stack[-2] if len(stack) > 1 else None
        assert goes_back(past) == ((below[0], manifests(below[1])) if below else None)
