"""The state of the stand-ins of one account and region, in memory."""

from __future__ import annotations

from lab.aws_api.calls import Body


class Store:
    """Bodies by kind (`eks/AccessEntry`) and key; the journal passes one call at a time."""

    def __init__(self) -> None:
        self._bodies: dict[str, dict[str, Body]] = {}

    def all(self, kind: str, prefix: str = "") -> dict[str, Body]:
        """Every body of a kind by its key, those whose key starts with `prefix`."""
        bodies = self._bodies.get(kind, {})
        return {key: bodies[key] for key in sorted(bodies) if key.startswith(prefix)}

    def get(self, kind: str, key: str) -> Body | None:
        return self._bodies.get(kind, {}).get(key)

    def put(self, kind: str, key: str, body: Body) -> Body:
        self._bodies.setdefault(kind, {})[key] = body
        return body

    def merge(self, kind: str, key: str, changes: Body) -> Body:
        """Merge changes into a body, which may be new; returns the result."""
        return self.put(kind, key, {**(self.get(kind, key) or {}), **changes})

    def drop(self, kind: str, key: str) -> Body | None:
        return self._bodies.get(kind, {}).pop(key, None)
