"""Git's commits: who made them, and the releases that their messages record."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

from release.repository import Repository
from release.words import restored


class Commit(NamedTuple):
    seconds: int
    parents: list[str]
    author: str
    committer: str
    title: str
    records: list[dict[str, str]]
    """The releases that the message records, by the names of their trailers."""


def read(repository: Repository, names: Sequence[str]) -> dict[str, Commit]:
    contents = repository.read(names)
    return {name: parse(content or b"") for name, content in contents.items()}


def merged(repository: Repository, old: Optional[str], merge: str) -> list[Commit]:
    """The commits that a merge brought, newest first."""
    if old is None:
        return []
    names = [name for name in repository.commits_between(old, merge) if name != merge]
    known = read(repository, names)
    return [known[name] for name in names]


def parse(content: bytes) -> Commit:
    head, _, body = content.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        fields.setdefault(os.fsdecode(key), []).append(value)
    encoding = fields.get("encoding", [b"utf-8"])[0].decode("ascii", "replace")
    message = _decode(body, encoding)
    author = _decode(fields.get("author", [b""])[0], encoding)
    committer = _decode(fields.get("committer", [b""])[0], encoding)
    lines = message.strip("\n").split("\n")
    return Commit(
        seconds=seconds(committer),
        parents=[p.decode() for p in fields.get("parent", [])],
        author=_who(author),
        committer=_who(committer),
        title=" ".join(lines[: lines.index("")] if "" in lines else lines),
        records=_records(message),
    )


def seconds(ident: str) -> int:
    """Since 1970, of an author or a committer; 0 where it says no time, the year 9999 at most."""
    time = re.search(r"> (\d{1,12}) [+-]\d+$", ident)
    return min(int(time[1]), 253402300799) if time else 0


def _decode(text: bytes, encoding: str) -> str:
    try:
        return text.decode("utf-8" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except (ValueError, LookupError):  # Python knows encodings that are none of a text
        return text.decode("utf-8", "replace")


def _who(ident: str) -> str:
    return re.sub(r" \d+ [+-]\d+$", "", ident)


def _records(message: str) -> list[dict[str, str]]:
    """The trailers of a message, a record for each service.

    They are at its end or, where a host squashed several commits into one, anywhere in it.
    """
    found: list[dict[str, str]] = []
    for line in message.split("\n"):
        match = re.fullmatch(r"Release-([A-Za-z-]+): (.*)", line.rstrip("\r"))
        if match is None:
            continue
        key, value = match[1], restored(match[2].strip())
        if key == "Service":
            found.append({})
        if found:
            found[-1].setdefault(key, value)
    return found
