"""Planning the delivery of a fresh build to the fast environment, by the service's own pipeline."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple, Optional

from release.commits import seconds
from release.configuration import safe_address
from release.context import Context
from release.deployed import Place, deployed, select, short_version
from release.errors import USAGE, Failure
from release.git import Git, Person, last_words, reaching
from release.history import events
from release.plan import BUILD, Change, Plan
from release.repository import borrow, make_bare
from release.terminal import one_line
from release.versions import is_digest, is_version

_LONGEST = 300
"""Characters of a subject that are recorded."""


class Source:
    """The clone of the service's repository, at the commit that was built. It is read only."""

    def __init__(self, git: Git, folder: str, version: str, scratch: str) -> None:
        """Raises Failure where `version` is not a build of what is there."""
        self._git = git
        located = git.inside(
            folder, "rev-parse", "--absolute-git-dir", "--git-common-dir", "--verify", "HEAD"
        )
        lines = located.text.split("\n")
        if located.code or len(lines) < len(("git dir", "common dir", "commit")):
            raise Failure(USAGE, f"not a Git clone: {folder!r}", last_words(located.words))
        self.folder, self.commit = os.path.abspath(folder), lines[2]
        self._common = os.path.normpath(os.path.join(folder, lines[1]))
        self._store = os.path.join(scratch, "source.git")
        if version[-7:] != self.commit[:7]:
            raise Failure(
                USAGE,
                f"{version} is not a build of {self.commit[:7]}, the commit in {one_line(folder)}",
            )
        self._make_store()
        self._read()

    def _make_store(self) -> None:
        shown = self._git.inside(self.folder, "rev-parse", "--show-object-format")
        kind = shown.text.strip() or "sha1"
        make_bare(self._git, self._store, kind)
        borrow(self._store, os.path.abspath(os.path.join(self._common, "objects")))
        shallow = os.path.join(self._common, "shallow")
        if os.path.exists(shallow):
            shutil.copy(shallow, os.path.join(self._store, "shallow"))

    def _read(self) -> None:
        ran = self._git.local(self._store, "cat-file", "commit", self.commit)
        head, _, body = ran.text.partition("\n\n")
        fields = dict(line.partition(" ")[::2] for line in reversed(head.split("\n")))
        author = re.fullmatch(r"(.*?) ?<(.*)> \d+ [+-]\d+", fields.get("author", ""))
        name, email = (one_line(author[1]), one_line(author[2])) if author else ("", "")
        self.author = Person(name.strip(" .,:;<>\"\\'") or "unknown", email or "unknown@ci.invalid")
        when = datetime.fromtimestamp(seconds(fields.get("committer", "")), timezone.utc)
        self.committed = when.strftime("%Y-%m-%dT%H:%M:%SZ")
        paragraph = re.split(r"\n\s*\n", body.strip("\n"), maxsplit=1)[0]
        subject = one_line(paragraph)
        self.subject = subject if len(subject) <= _LONGEST else subject[: _LONGEST - 1] + "…"

    def has_after(self, prefix: str) -> Optional[bool]:
        """Whether the commit that begins with `prefix` came after ours; None where nobody knows."""
        known = self._commit(prefix)
        if known:
            return self._is_ancestor(known)
        if not self._fetch_branches():
            return None
        known = self._commit(prefix)
        # The branches are complete now: what none of them has was taken off.
        return bool(known) and self._is_ancestor(known)

    def _commit(self, prefix: str) -> str:
        """The commit of that name; a tag or a branch that is called so is none."""
        listed = self._git.local(self._store, "rev-parse", f"--disambiguate={prefix}")
        for name in listed.text.split():
            if self._git.local(self._store, "cat-file", "-t", name).text.strip() == "commit":
                return name
        return ""

    def _is_ancestor(self, of: str) -> bool:
        return (
            self._git.local(self._store, "merge-base", "--is-ancestor", self.commit, of).code == 0
        )

    def _fetch_branches(self) -> bool:
        settings = self._git.settings(self.folder)
        url = next((v for k, v in settings if k == "remote.origin.url" and v), "")
        if not safe_address(url):
            return False
        ran = self._git.outward(
            self._store, reaching(settings),
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules",
            *(["--unshallow"] if os.path.exists(os.path.join(self._store, "shallow")) else []),
            "--", url, "+refs/heads/*:refs/remotes/origin/*",
            extra={"GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
        return ran.code == 0


class Build(NamedTuple):
    """What a pipeline has built."""

    service: str
    version: str
    digest: str


def require_digest(text: str) -> str:
    """Raises Failure where `text` is no digest."""
    if not is_digest(text):
        raise Failure(USAGE, f"not a digest: {text!r}")
    return text


class Delivery:
    """Makes the plan of a delivery, from the tip that the repository is at."""

    def __init__(self, context: Context, build: Build, source: Source) -> None:
        self.context, self.build, self.source = context, build, source
        self.stays: Optional[str] = None
        """Why the environment keeps what it runs, where that is newer."""
        self.service = build.service

    def plan(self) -> Plan:
        repository = self.context.repository
        fast = repository.platform.fast.name
        everything = deployed(repository, repository.tip)
        (self.service,) = select(everything, fast, [self.build.service], repository.branch)
        known = repository.platform.services.get(self.service)
        if known and known.delivery == "keel":
            raise Failure(
                USAGE,
                f"{self.service} is delivered by Keel, and not by commits; nothing was changed",
                "its pipeline moves the tag alone; services.yaml says so: delivery",
            )
        place = Place(fast, self.service)
        there = everything[place]
        if (there.running.tag, there.running.digest) == (self.build.version, self.build.digest):
            return Plan(fast, BUILD, ())
        if self._is_newer(place, there.running.tag):
            self.stays = (
                f"{fast} already runs {there.running.tag}, which is newer than {self.build.version}"
            )
            return Plan(fast, BUILD, ())
        change = Change(
            place=place,
            packaging=there.packaging,
            path=there.path,
            previous=short_version(there.running),
            version=self.build.version,
            digest=self.build.digest,
            subject=self.source.subject,
        )
        return Plan(fast, BUILD, (change,))

    def _is_newer(self, place: Place, running: str) -> bool:
        if not is_version(running) or running[-7:] == self.source.commit[:7]:
            return False
        after = self.source.has_after(running[-7:])
        return (
            after if after is not None else self._committed(place, running) > self.source.committed
        )

    def _committed(self, place: Place, version: str) -> str:
        """When the source of what runs was committed; empty where its delivery does not tell."""
        repository = self.context.repository
        for event in events(repository, repository.tip, [place.service], place.environment):
            if event.now.tag == version:
                content = repository.read([event.commit])[event.commit] or b""
                found = re.search(rb"(?m)^Release-Committed: (\S+)$", content)
                return found[1].decode("ascii", "replace") if found else ""
        return ""

    def trailers(self) -> Sequence[str]:
        return (
            f"Release-Commit: {self.source.commit}",
            f"Release-Committed: {self.source.committed}",
        )
