"""Access to a cluster, principal by principal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from settings.cluster import AccessConfig

READERS = "readers"
"""The Kubernetes group of those who may read everything but secrets."""


def team_group(team: str) -> str:
    """The Kubernetes group of a team's members."""
    return f"team:{team}"


@dataclass(frozen=True, kw_only=True)
class AccessEntry:
    """One IAM principal and what it is inside the cluster."""

    principal: str
    """The ARN of a role or user."""
    administrator: bool
    groups: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The principal as part of a resource's name: `123456789012-role-platform`; a path in the
        principal's own name keeps its slashes, which no name has."""
        _, _, _, _, account, path = self.principal.split(":")
        return f"{account}-{path.replace('/', '-', 1)}"


def access_entries(access: AccessConfig) -> tuple[AccessEntry, ...]:
    """One entry for each principal, sorted: EKS allows no second one for the same."""
    groups: dict[str, set[str]] = {principal: set() for principal in access.platform}
    for principal, group in _memberships(access):
        groups.setdefault(principal, set()).add(group)
    return tuple(
        AccessEntry(
            principal=principal,
            administrator=principal in access.platform,
            groups=tuple(sorted(groups[principal])),
        )
        for principal in sorted(groups)
    )


def _memberships(access: AccessConfig) -> Iterator[tuple[str, str]]:
    for team, principals in access.teams.items():
        for principal in principals:
            yield principal, team_group(team)
    for principal in access.read_only:
        yield principal, READERS
