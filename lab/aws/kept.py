"""What moto forgets or does not know, kept in one JSON file that outlives the processes."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Body = dict[str, Any]
Shelves = dict[str, dict[str, Body]]


class Kept:
    """Bodies by kind (`eks/AccessEntry`) and key; written atomically, locked across processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self, kind: str) -> dict[str, Body]:
        """Every body of a kind by its key."""
        return self._load().get(kind, {})

    def get(self, kind: str, key: str) -> Body | None:
        return self.all(kind).get(key)

    def put(self, kind: str, key: str, body: Body) -> None:
        with self._changing() as shelves:
            shelves.setdefault(kind, {})[key] = body

    def add(self, kind: str, key: str, body: Body) -> bool:
        """Keeps the body unless the key is taken; says whether it was free."""
        with self._changing() as shelves:
            shelf = shelves.setdefault(kind, {})
            free = key not in shelf
            shelf.setdefault(key, body)
        return free

    def merge(self, kind: str, key: str, changes: Body) -> Body:
        """Lays changes over a body, which may be new, and returns the whole."""
        with self._changing() as shelves:
            body = shelves.setdefault(kind, {}).setdefault(key, {})
            body.update(changes)
        return body

    def drop(self, kind: str, key: str) -> Body | None:
        with self._changing() as shelves:
            return shelves.get(kind, {}).pop(key, None)

    @contextmanager
    def _changing(self) -> Iterator[Shelves]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            shelves = self._load()
            yield shelves
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(shelves, indent=2, sort_keys=True) + "\n")
            fresh.replace(self._path)

    def _load(self) -> Shelves:
        try:
            shelves: Shelves = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return shelves
