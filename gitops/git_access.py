"""How a pipeline reaches the GitOps repository: by which URL and credential.

Argo CD reads by the configured URL. A pipeline needs the URL that fits a credential of its CI
system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from settings.catalogue import Ci
from settings.git_url import parse_git_url

GITHUB = "github.com"


@dataclass(frozen=True, kw_only=True)
class Access:
    """One way to reach it.

    app: a GitHub App, which makes a token for each run; token: one that is stored; key: a deploy
    key; key-or-token: a deploy key, unless there is a token, which then goes with `https`.
    """

    credential: Literal["app", "token", "key", "key-or-token"]
    url: str
    https: str | None = None


def access(url: str, ci: Ci) -> Access:
    """How the pipelines of `ci` reach the repository that `platform:gitops.url` names."""
    address = parse_git_url(url)
    if address.host == GITHUB:
        https = f"https://{GITHUB}/{address.repository}.git"
        if ci == "github-actions":
            return Access(credential="app", url=https)
        return Access(
            credential="key-or-token", url=f"git@{GITHUB}:{address.repository}.git", https=https
        )
    return Access(credential="token" if address.transport == "http" else "key", url=url)
