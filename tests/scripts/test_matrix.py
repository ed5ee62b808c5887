"""One walk through all commands on every kind of machine that can be had here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripts.machine import Machine, found
from tests.scripts.release_repository import (
    HOST,
    LEADERBOARD,
    ONE,
    THREE,
    TV_API,
    TWO,
    UNVERIFIED,
    ReleaseRepository,
    version_text,
)

MACHINES = found()


@pytest.mark.parametrize("machine", MACHINES, ids=[machine.name for machine in MACHINES])
def test_every_machine_releases_alike(
    tmp_path: Path, scaffold_repository: Path, machine: Machine
) -> None:
    releases = ReleaseRepository(tmp_path, scaffold_repository, machine)
    releases.deliver(TV_API, ONE, "Größe ändern")
    releases.deliver(LEADERBOARD, ONE)
    releases.bring(ONE.version)
    releases.deliver(TV_API, TWO)
    promoted = releases.promote("--from-dev", "--yes")
    assert promoted.code == 0, promoted.said
    assert f"+        image: {HOST}/{TV_API}:{TWO.version}@{TWO.digest}" in promoted.out
    assert releases.runs("prod", TV_API) == version_text(TV_API, TWO)
    assert releases.runs("prod", LEADERBOARD) == version_text(LEADERBOARD, ONE)
    refused = releases.promote(THREE.version, "--service", "tv-api", "--yes")
    assert (refused.code, "there is no version" in refused.err) == (UNVERIFIED, True), refused.said
    back = releases.rollback("--service", "tv-api", "--yes")
    assert back.code == 0, back.said
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    rows = releases.history("--service", "tv-api")
    assert [(row["environment"], row["kind"], row["version"]) for row in rows] == [
        ("prod", "rollback", ONE.version),
        ("prod", "promotion", TWO.version),
        ("dev", "build", TWO.version),
        ("prod", "promotion", ONE.version),
        ("dev", "build", ONE.version),
    ]
    assert rows[-1]["subject"] == "Größe ändern"
    listed = releases.promote("--service", "tv-api")
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == [TWO.version, ONE.version]
    checked = releases.run("render.sh", "--check")
    assert checked.code == 0, checked.said
    rendered = releases.run("render.sh", str(tmp_path / "rendered"))
    assert rendered.code == 0, rendered.said
    text = (tmp_path / "rendered/prod" / f"{TV_API}.yaml").read_text(encoding="utf-8")
    assert f"{ONE.version}@{ONE.digest}" in text
    assert "Traceback" not in json.dumps([promoted.said, refused.said, back.said, listed.said])


def test_there_are_machines_enough() -> None:
    pythons = [machine for machine in MACHINES if machine.python]
    if len(pythons) < 3:
        pytest.skip(f"only {len(pythons)} versions of Python are installed here")
    assert pythons[0].name == "Python 3.9"
