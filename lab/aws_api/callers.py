"""The caller of a request, by its access key in moto."""

from __future__ import annotations

from typing import Any

from moto.sts.models import sts_backends


def session_of(access_key: str) -> Any:
    """The session of an assumed role with this access key, or None."""
    backends = (backend for account in sts_backends.values() for backend in account.values())
    found = (backend.get_assumed_role_from_access_key(access_key) for backend in backends)
    return next(filter(None, found), None)


def caller_arn(access_key: str) -> str | None:
    """`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`; None for an unknown key."""
    session = session_of(access_key)
    return str(session.arn) if session else None


_TAGS: dict[str, tuple[dict[str, str], frozenset[str]]] = {}


def remember_tags(access_key: str, tags: dict[str, str], transitive: frozenset[str]) -> None:
    """Keep the tags of a session; moto's own session has no room for them."""
    _TAGS[access_key] = tags, transitive


def tags_of(access_key: str) -> tuple[dict[str, str], frozenset[str]]:
    """The tags of a session, and the keys of those that pass on to sessions that it makes."""
    return _TAGS.get(access_key, ({}, frozenset()))
