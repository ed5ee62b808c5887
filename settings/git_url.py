"""A Git URL, read once: `https://host/owner/name.git`, `ssh://…`, or `git@host:owner/name.git`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

_SCP_LIKE = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")


@dataclass(frozen=True, kw_only=True)
class GitAddress:
    """The parts of a Git URL; empty where it has none, as a path of this machine has no host."""

    transport: Literal["http", "ssh", ""]
    host: str
    """In lower case; with the port where HTTP uses one of its own."""
    repository: str
    """`owner/name`, without `.git`."""

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for every spelling of the same repository."""
        return self.host, self.repository


def parse_git_url(url: str) -> GitAddress:
    """The parts of `url`, in any of its spellings."""
    scp_like = _SCP_LIKE.fullmatch(url)
    if scp_like:
        return GitAddress(
            transport="ssh",
            host=scp_like["host"].lower(),
            repository=_repository(scp_like["path"]),
        )
    parts = urlsplit(url)
    http = parts.scheme in ("http", "https")
    host = (parts.hostname or "").lower()
    return GitAddress(
        transport="http" if http else "ssh" if parts.scheme == "ssh" else "",
        host=f"{host}:{parts.port}" if parts.port and http else host,
        repository=_repository(parts.path),
    )


def _repository(path: str) -> str:
    return path.strip("/").removesuffix(".git")
