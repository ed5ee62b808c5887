"""What a commit writes into a folder: nothing outside of it, and no link that leads there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from release.clone import Clone
from release.errors import Failure
from release.git import Git
from release.processes import Processes
from release.rendering import export
from release.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "home").mkdir()
    git = Git(Processes(), os.environ, str(tmp_path / "home"))
    clone: Any = SimpleNamespace(incomplete=True, url="", object_format="sha1")
    return Repository(git, cast("Clone", clone), str(tmp_path))


def made(repository: Repository, kind: str, content: bytes) -> str:
    """An object of Git that nobody has looked at."""
    words = ["git", "hash-object", "--literally", "-w", "-t", kind, "--stdin"]
    done = subprocess.run(
        words, cwd=repository.folder, input=content, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def tree(repository: Repository, **entries: tuple[str, str]) -> str:
    """A tree of (mode, object) by name, whatever the names are."""
    content = b"".join(
        f"{mode} {name}".encode() + b"\0" + bytes.fromhex(found)
        for name, (mode, found) in entries.items()
    )
    return made(repository, "tree", content)


@pytest.mark.parametrize("name", ["..", "../x", "/proc/x", "a/../../x"])
def test_a_path_that_leads_out_is_refused_before_anything_is_written(
    repository: Repository, tmp_path: Path, name: str
) -> None:
    blob = made(repository, "blob", b"evil")
    entry = ("40000", tree(repository, x=("100644", blob))) if name == ".." else ("100644", blob)
    (tmp_path / "out").mkdir()
    with pytest.raises(Failure, match="a commit has a path out of its tree: "):
        export(repository, tree(repository, **{name: entry}), str(tmp_path / "out"))
    assert not list((tmp_path / "out").iterdir())
    assert not (tmp_path / "x").exists()


def test_links_stay_where_they_lead_inside_however_they_are_spelled(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret", encoding="utf-8")
    files = {"a": "words", "to-a": "a", "..b": "a", "gone": "nowhere"}
    links = {
        "here": ".",  # from a folder further down, this leads up without a dot
        "up": "../secret",
        "chain": "below/here/../secret",
        "absolute": str(tmp_path / "secret"),
    }
    below = tree(repository, here=("120000", made(repository, "blob", b"..")))
    entries = {
        name: ("100644" if name == "a" else "120000", made(repository, "blob", content.encode()))
        for name, content in (files | links).items()
    }
    export(repository, tree(repository, **entries, below=("40000", below)), str(tmp_path / "out"))
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"a", "to-a", "..b", "gone", "here", "below"}
    assert (tmp_path / "out" / "to-a").read_text(encoding="utf-8") == "words"
