"""Whether a folder is a checkout of the GitOps repository, and the remedy if not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from settings.git_url import parse_git_url


def problem(folder: Path, shown: str, url: str) -> str | None:
    """Why `folder` is no checkout of the repository at `url`, with the remedy; None if it is one.

    `shown` is the folder as the configuration names it.
    """
    clone = f"git clone {url} {shown}"
    if not folder.is_dir():
        return f"there is no checkout of the GitOps repository at {shown}; run: {clone}"
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None or Path(top) != folder.resolve():
        return f"{shown} is not the top of a Git work tree; move it away and run: {clone}"
    remotes = (_git(folder, "config", "--get-regexp", r"^remote\..*\.url$") or "").splitlines()
    urls = [line.split(" ", 1)[1] for line in remotes]
    wanted = parse_git_url(url).identity
    if not any(parse_git_url(each).identity == wanted for each in urls):
        where = f"belongs to {', '.join(urls)}" if urls else "has no remote"
        return (
            f"{shown} {where}, but platform:gitops.url is {url}; correct one of the two, or "
            f"move the folder away and run: {clone}"
        )
    return None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints in `folder`; None when it refuses."""
    # The caller's GIT_DIR would make git answer for another repository.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
