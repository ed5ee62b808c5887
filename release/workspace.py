"""A folder of a command's own, which goes when the command ends."""

from __future__ import annotations

import os
import shutil
import tempfile

from release.errors import PRECONDITION, Failure


class Workspace:
    """Makes the folder where TMPDIR says, or where this machine keeps such folders."""

    def __init__(self, given: str = "") -> None:
        """`given` is a folder for it; the folder itself, where this program was put into it."""
        if given and os.path.abspath(__file__).startswith(os.path.join(given, "")):
            self.folder = given
            return
        try:
            where = os.path.abspath(given or os.environ.get("TMPDIR") or tempfile.gettempdir())
            self.folder = os.path.realpath(tempfile.mkdtemp(prefix="release.", dir=where))
        except (OSError, FileNotFoundError) as error:
            raise Failure(
                PRECONDITION,
                f"cannot make a temporary folder: {error.strerror}: {error.filename}",
                "set TMPDIR to a folder that is there and that you may write to",
            ) from error

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
