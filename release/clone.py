"""The person's clone, in which the scripts run. It is read, and only `follow` moves it."""

from __future__ import annotations

import json
import os
import re
from functools import cached_property
from typing import Optional

from release.configuration import PATH
from release.errors import PRECONDITION, Failure
from release.git import Git, Person, Setting, last_words

_HALF_DONE = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}
_SHOWN = 5


class Clone:
    """A clone of the GitOps repository."""

    def __init__(self, git: Git, root: str) -> None:
        """Raises Failure where `root` is not the root of one."""
        self.git, self.root = git, root
        if not os.path.isfile(os.path.join(root, *PATH.split("/"))):
            raise Failure(
                PRECONDITION,
                f"this is not the GitOps repository: {PATH} is missing",
                "run the script from its own clone",
            )
        found = git.inside(
            root, "rev-parse", "--show-cdup", "--absolute-git-dir", "--git-common-dir",
            "--is-shallow-repository", "--show-object-format",
        )  # fmt: skip
        lines = found.text.split("\n")
        if found.code or lines[0]:
            self._refuse(found.words)
        self.git_dir, common, shallow, self.object_format = lines[1:5]
        self._common = os.path.normpath(os.path.join(root, common))
        self.objects = os.path.join(self._common, "objects")
        self.settings: list[Setting] = git.settings(root)
        known = os.path.join(self._common, "shallow")
        self.shallow = known if shallow == "true" and os.path.exists(known) else ""
        """The file that says which commits lack their parents; empty where none does."""
        partial = any(re.fullmatch(r"remote\..*\.promisor", k.lower()) for k, _ in self.settings)
        self.incomplete = shallow == "true" or partial
        """Whether objects of the history may be missing here."""
        self.url = self._value("remote.origin.url") or ""
        if not self.url:
            raise Failure(
                PRECONDITION,
                "this clone has no remote called origin",
                "add it: git remote add origin URL",
            )

    def _refuse(self, words: str) -> None:
        if "dubious ownership" in words or "safe.directory" in words:
            lines = [line.strip() for line in words.splitlines() if line.strip()]
            raise Failure(PRECONDITION, lines[0], *lines[1:])
        if words.strip() and "not a git repository" not in words:
            raise Failure(PRECONDITION, f"Git does not work in this clone: {last_words(words)}")
        raise Failure(
            PRECONDITION,
            f"{self.root} is not the root of a Git clone",
            "run the script from its own clone",
        )

    def _value(self, key: str) -> Optional[str]:
        """The first value of a setting."""
        return next((v for k, v in self.settings if k.lower() == key and v), None)

    @cached_property
    def branch(self) -> str:
        """The branch that this clone's configuration names; main where it cannot be read."""
        try:
            with open(os.path.join(self.root, *PATH.split("/")), encoding="utf-8") as stream:
                branch = json.load(stream)["git"]["branch"]
        except (OSError, ValueError, KeyError, TypeError):
            return "main"
        return (
            branch if isinstance(branch, str) and re.fullmatch(r"[\w][\w./-]*", branch) else "main"
        )

    @property
    def last_known(self) -> Optional[str]:
        """The commit that origin's branch had when this clone last looked."""
        for name in (f"refs/remotes/origin/{self.branch}", "HEAD"):
            found = self.git.inside(
                self.root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"
            )
            if found.code == 0:
                return found.text.strip()
        return None

    def has_reachable(self, commit: str) -> bool:
        """Whether a branch of the clone has `commit`, and with it everything before it."""
        names = self.git.inside(
            self.root, "for-each-ref", "--format=%(objectname)", "refs/remotes/origin"
        )
        head = self.git.inside(self.root, "rev-parse", "--verify", "--quiet", "HEAD")
        return commit in names.text.split() or commit == head.text.strip()

    # --- what a release asks of it

    def refuse_unfinished_work(self) -> None:
        """A release starts from a clone in which nothing is half done. Raises Failure."""
        for name, what in _HALF_DONE.items():
            if os.path.exists(os.path.join(self.git_dir, name)):
                raise Failure(
                    PRECONDITION,
                    f"a {what} is half done in this clone",
                    f"finish it, or give it up: git {what} --abort",
                )
        dirty = self._status("--untracked-files=no") + [
            line
            for line in self._status(
                "--untracked-files=normal", "--", "base", "environments", "rendered"
            )
            if line.startswith("??")
        ]
        if dirty:
            more = [f"and {len(dirty) - _SHOWN} more"] if len(dirty) > _SHOWN else []
            raise Failure(
                PRECONDITION,
                "this clone has changes that are not committed:",
                *dirty[:_SHOWN],
                *more,
                "commit and push them, or put them aside: git stash --include-untracked",
            )

    def _status(self, *words: str) -> list[str]:
        ran = self.git.inside(
            self.root, "-c", "status.relativePaths=false", "-c", "column.ui=never",
            "status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=none", *words,
        )  # fmt: skip
        if ran.code:
            raise Failure(PRECONDITION, f"git status fails in this clone: {last_words(ran.words)}")
        return [os.fsdecode(line) for line in ran.out.split(b"\0") if line]

    def person(self) -> tuple[Person, Person]:
        """Author and committer of what is committed here. Raises Failure."""
        found = []
        for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            ran = self.git.inside(self.root, "-c", "user.useConfigOnly=true", "var", who)
            match = re.fullmatch(r"(.*) <(.*)> \d+ [+-]\d+", ran.text.strip())
            if ran.code or not match or not match[1].strip():
                raise Failure(
                    PRECONDITION,
                    "Git does not know who you are",
                    "git config --global user.name 'Your Name'",
                    "git config --global user.email you@example.com",
                )
            found.append(Person(match[1].strip(), match[2]))
        return found[0], found[1]

    def run_pre_push_hook(
        self, repository: str, url: str, commit: str, branch: str, tip: str
    ) -> None:
        """Asks the clone's own pre-push hook, which may be a rule of the house. Raises Failure.

        It finds the commit that is to be pushed, although that is not in the clone yet.
        """
        located = self.git.inside(self.root, "rev-parse", "--git-path", "hooks", hooks=True)
        hook = os.path.join(self.root, located.text.strip(), "pre-push")
        if located.code or not os.access(hook, os.X_OK) or not os.path.isfile(hook):
            return
        ref = f"refs/heads/{branch}"
        ran = self.git.hook(
            hook,
            self.root,
            ["origin", url],
            f"{ref} {commit} {ref} {tip}\n",
            os.path.join(repository, "objects"),
        )
        if ran.code:
            lines = [line for line in (ran.words + ran.text).splitlines() if line.strip()]
            raise Failure(
                PRECONDITION,
                "the pre-push hook of this clone refused; nothing was changed:",
                *(lines[:20] or [f"it ended with {ran.code}"]),
            )

    # --- afterwards

    def follow(self, repository: str, commit: str, branch: str) -> bool:
        """Brings the clone's own branch up to `commit`, where that is a plain fast-forward."""
        local = (
            "-c",
            "protocol.file.allow=always",
            "-c",
            "gc.auto=0",
            "-c",
            "maintenance.auto=false",
        )
        fetched = self.git.inside(
            self.root, *local, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
            "--no-recurse-submodules", "--refmap=", "--", repository, commit,
        )  # fmt: skip
        if fetched.code:
            return False
        remote = f"refs/remotes/origin/{branch}"
        if self.git.inside(self.root, "rev-parse", "--verify", "--quiet", remote).code == 0:
            self.git.inside(self.root, "update-ref", remote, commit)
        here = self.git.inside(self.root, "symbolic-ref", "--quiet", "HEAD")
        if here.text.strip() != f"refs/heads/{branch}":
            return False
        merged = self.git.inside(
            self.root, "-c", "merge.verifySignatures=false", "merge", "--quiet", "--no-autostash",
            "--ff-only", commit,
        )  # fmt: skip
        return merged.code == 0
