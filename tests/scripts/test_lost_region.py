"""A region is lost, and the registry with it: docs/operate.md, with stacks in another region."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitops.__main__ import main as generate
from tests.scripts.release_repository import (
    CHECKOUT,
    LEADERBOARD,
    ONE,
    THREE,
    TV_API,
    TWO,
    ReleaseRepository,
    git,
)

ELSEWHERE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ADDRESSES = {
    "dev": {"10.10.0.0/16": "10.30.0.0/16", "dev.acme.example": "devb.acme.example"},
    "prod": {"10.20.0.0/16": "10.40.0.0/16", "acme.example": "b.acme.example"},
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with the committed stack files and the catalogue."""
    folder = tmp_path / "program"
    folder.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "services.yaml"):
        shutil.copy(CHECKOUT / name, folder)
    return folder


def up(releases: ReleaseRepository, program: Path, *stacks: str) -> None:
    """Write what `pulumi up` writes into a checkout, commit and push it."""
    git(releases.clone, "pull", "--quiet")
    for stack in stacks:
        words = ["--stack", stack, "--root", str(program), "--out", str(releases.clone)]
        assert generate(["render", *words]) == 0
    git(releases.clone, "add", "--all")
    git(releases.clone, "commit", "--quiet", "-m", f"Generated for {', '.join(stacks)}")
    git(releases.clone, "push", "--quiet")


def move(program: Path) -> None:
    """Steps 1 and 2 of the page, as far as files go."""
    for stack, addresses in ADDRESSES.items():
        file = program / f"Pulumi.{stack}.yaml"
        text = file.read_text(encoding="utf-8").replace("eu-central-1", "eu-west-1")
        for old, new in addresses.items():
            text = text.replace(old, new)
        text = text.replace("owner: dev\n", "owner: devb\n")
        file.rename(program / f"Pulumi.{stack}b.yaml").write_text(text, encoding="utf-8")


def test_new_builds_are_promoted_in_the_new_region(
    releases: ReleaseRepository, program: Path
) -> None:
    up(releases, program, "dev", "prod")
    releases.deliver(TV_API, ONE)
    releases.bring(ONE.version)
    move(program)
    releases.registry.expire(TV_API, ONE)
    up(releases, program, "devb", "prodb")
    releases.registry.push(TV_API, TWO, "devb")
    releases.put("devb", TV_API, TWO, kind="build", host=ELSEWHERE)
    releases.registry.push(LEADERBOARD, THREE, "devb")
    ran = releases.promote("--from-dev", "--environment", "prodb", "--yes")
    assert ran.code == 0, ran.said
    rendered = releases.on_origin(f"rendered/prodb/{TV_API}/deployment-tv-api.yaml")
    assert f"image: {ELSEWHERE}/{TV_API}:{TWO.version}@{TWO.digest}" in rendered
    chart = releases.on_origin(f"rendered/prodb/{LEADERBOARD}/deployment-leaderboard.yaml")
    assert f"image: {ELSEWHERE}/{LEADERBOARD}:{THREE.version}@{THREE.digest}" in chart
    git(releases.clone, "pull", "--quiet")
    checked = releases.run("render.sh", "--check")
    assert checked.code == 0, checked.said
