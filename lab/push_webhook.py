"""Reports a push to every Argo CD, as GitHub's webhook does. Git runs it after a push."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import requests

from lab.site import Site

NOTHING = "0" * 40
"""Git's name for no commit: before a branch exists, and after it is deleted."""


def payload(
    site: Site,
    repository: str,
    *,
    before: str,
    after: str,
    ref: str,
    files: Iterable[str] = (),
) -> dict[str, Any]:
    """The body of GitHub's push event; `files` are the paths that the push touches."""
    name = repository.removesuffix(".git")
    url = f"{site.url('git')}/{name}"
    commit = {"id": after, "added": [], "removed": [], "modified": sorted(files)}
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == NOTHING,
        "deleted": after == NOTHING,
        "forced": False,
        "commits": [commit],
        "head_commit": commit,
        "repository": {
            "name": name,
            "full_name": f"lab/{name}",
            "html_url": url,
            "clone_url": f"{url}.git",
            "default_branch": "main",
            "owner": {"login": "lab", "name": "lab"},
        },
        "pusher": {"name": "lab"},
        "sender": {"login": "lab"},
    }


def updates(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """(before, after, ref) of every branch that a push moved."""
    for line in lines:
        before, after, ref = line.split()
        if ref.startswith("refs/heads/") and after != NOTHING:
            yield before, after, ref


def touched(before: str, after: str) -> list[str]:
    """The paths that differ between two commits of the repository in the current folder."""
    since = [before] if before != NOTHING else ["--root"]
    command = ["git", "diff-tree", "-r", "--name-only", "--no-commit-id", *since, after]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")


def notify(site: Site, body: dict[str, Any]) -> None:
    """Post to every environment's Argo CD; one that does not run sees the push at its next poll."""
    for environment in site.environments:
        try:
            requests.post(
                f"{site.url('argocd-server', environment)}/api/webhook",
                json=body,
                headers={"X-GitHub-Event": "push"},
                timeout=3,
            )
        except requests.RequestException:
            continue


def main(repository: str) -> None:
    site = Site.from_environment()
    for before, after, ref in updates(sys.stdin):
        files = [path for path in touched(before, after) if path]
        body = payload(site, repository, before=before, after=after, ref=ref, files=files)
        notify(site, body)


if __name__ == "__main__":
    main(sys.argv[1])
