"""What the stand-ins of one account and region remember, in memory."""

from __future__ import annotations

from lab.aws_api.calls import Body


class Shelves:
    """Bodies by kind (`eks/AccessEntry`) and key; the journal lets one call in at a time."""

    def __init__(self) -> None:
        self._shelves: dict[str, dict[str, Body]] = {}

    def all(self, kind: str, prefix: str = "") -> dict[str, Body]:
        """Every body of a kind by its key, those whose key starts with `prefix`."""
        shelf = self._shelves.get(kind, {})
        return {key: shelf[key] for key in sorted(shelf) if key.startswith(prefix)}

    def get(self, kind: str, key: str) -> Body | None:
        return self._shelves.get(kind, {}).get(key)

    def put(self, kind: str, key: str, body: Body) -> Body:
        self._shelves.setdefault(kind, {})[key] = body
        return body

    def merge(self, kind: str, key: str, changes: Body) -> Body:
        """Lays changes over a body, which may be new, and returns the whole."""
        return self.put(kind, key, {**(self.get(kind, key) or {}), **changes})

    def drop(self, kind: str, key: str) -> Body | None:
        return self._shelves.get(kind, {}).pop(key, None)
