"""The files of a team's own project: what `git archive` leaves of this checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from settings.files import ROOT

CHECKOUT = ROOT


def export(archive: Path, *, prefix: str = "") -> None:
    """Write the archive, in the format of its suffix, of the files as they are now.

    Changes that are not committed are in it; ignored files are not. The repository's own index and
    objects stay as they are.
    """
    objects = archive.with_suffix(".objects")
    objects.mkdir()
    environment = {
        **os.environ,
        "GIT_INDEX_FILE": str(archive.with_suffix(".index")),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": git("rev-parse", "--git-path", "objects"),
        "GIT_OBJECT_DIRECTORY": str(objects),
    }
    git("add", "--all", env=environment)
    tree = git("write-tree", env=environment)
    git("archive", f"--output={archive}", f"--prefix={prefix}", tree, env=environment)


def git(*arguments: str, env: dict[str, str] | None = None) -> str:
    command = ["git", "-C", str(CHECKOUT), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    return done.stdout.strip()
