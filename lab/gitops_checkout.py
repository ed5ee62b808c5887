"""The checkout of the GitOps repository that `pulumi up` writes into, and its engineer."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.site import Site
from settings.problems import UserError

ENGINEER = ("Platform Engineer", "platform@acme.example")


class GitError(UserError):
    """A git command failed."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        super().__init__(f"git {' '.join(command)} failed: {output.strip()}")


def git(folder: Path, *arguments: str) -> str:
    """Runs git in `folder`; returns what it prints, raises GitError when it fails."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise GitError(arguments, done.stderr or done.stdout)
    return done.stdout


def clone(site: Site, folder: Path, *, user: tuple[str, str] = ENGINEER) -> Path:
    """A clone of the lab's GitOps repository that can push; an existing one is used."""
    if not (folder / ".git").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        git(folder.parent, "clone", "--quiet", site.gitops_url, str(folder))
        git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
        name, mail = user
        git(folder, "config", "user.name", name)
        git(folder, "config", "user.email", mail)
        git(folder, "config", "credential.helper", _credentials(site))
    return folder


def commit_and_push(folder: Path, message: str) -> bool:
    """Commit and push the changes in `folder`; returns False if there are none."""
    git(folder, "add", "--all")
    if not git(folder, "status", "--porcelain"):
        return False
    git(folder, "commit", "--quiet", "--message", message)
    git(folder, "push", "--quiet", "origin", "HEAD:main")
    return True


def pull(folder: Path) -> None:
    """Rebase `folder` onto what was pushed, if anything was."""
    git(folder, "fetch", "--quiet", "origin")
    if git(folder, "branch", "--remotes", "--list", "origin/main"):
        git(folder, "rebase", "--quiet", "origin/main")


def _credentials(site: Site) -> str:
    """A credential helper that reads the lab's token from its file at each push."""
    return f'!f() {{ echo username=lab; echo "password=$(cat {site.git_token})"; }}; f'
