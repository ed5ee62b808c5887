# Managed: generated, so change services.yaml or the stack files instead.
"""The GitOps repository: what its branch has, and a new commit on it.

Everything happens in a bare repository of our own, which borrows the objects of the person's clone:
the clone's branches, index and files are touched only after a push has succeeded.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Callable, NamedTuple, Optional

from release.clone import Clone
from release.configuration import PATH, Platform, identity, parse, safe_address
from release.errors import PRECONDITION, REMOTE, Failure
from release.git import Git, Person, Setting, last_words, reaching, signing, without_secrets
from release.processes import Ran

_HOPS = 4
_HEADS = "refs/heads/"
_OBJECT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_CONTENTION = re.compile(
    r"(?m)^ *! .*\((cannot lock ref|failed to update ref|non-fast-forward|stale info|fetch first)"
)
"""In Git's own lines: those of a hook may say anything."""


class Entry(NamedTuple):
    """What a commit has at a path."""

    mode: str
    kind: str
    object: str

    @property
    def is_file(self) -> bool:
        return self.mode in ("100644", "100755")


class Unreachable(Failure):
    """The remote does not answer, or has no such branch."""

    def __init__(self, message: str) -> None:
        super().__init__(REMOTE, message, "nothing was changed; try again when origin answers")


class Repository:
    """The branch that Argo CD reads. `tip` is its newest commit, once `follow` has found it."""

    def __init__(
        self, git: Git, clone: Clone, folder: str, *, borrow: Optional[bool] = None
    ) -> None:
        """borrow: whether to use the clone's objects; unless said, where they are complete."""
        self.git, self.clone = git, clone
        self.on_tip: Callable[[str], None] = lambda _: None
        """What is done with a tip before it is trusted."""
        self.folder = os.path.join(folder, "repository.git")
        self._scratch = os.path.join(folder, "scratch")
        os.makedirs(self._scratch, exist_ok=True)
        self.tip = ""
        self.heads: dict[str, str] = {}
        """The branches of the remote and their commits, when it was last asked."""
        self.url = clone.url
        self.branch = ""
        self.platform: Platform
        self._borrow = not clone.incomplete if borrow is None else borrow
        self._make()

    def _make(self) -> None:
        make_bare(self.git, self.folder, self.clone.object_format)
        if self._borrow:
            borrow(self.folder, self.clone.objects)
            if self.clone.shallow:  # only where it was asked for: what is missing is known to be
                shutil.copy(self.clone.shallow, os.path.join(self.folder, "shallow"))

    # --- finding the tip

    def follow(self) -> None:
        """Finds the tip of the branch that Argo CD reads, and fetches it. Raises Failure.

        Where the clone points is only the beginning: the configuration that is found there names
        the address and the branch, until what it names is what was asked.
        """
        self._follow(self.on_tip)

    def _follow(self, on_tip: Callable[[str], None]) -> None:
        url, branch = self.url, self.branch or self.clone.branch
        for _ in range(_HOPS):
            tip = self._ask(url, branch)
            self._fetch(url, branch, tip)
            try:
                platform = self._configuration(tip, url, branch)
            except Failure:
                on_tip(tip)
                raise
            if identity(platform.url) == identity(url) and platform.branch == branch:
                on_tip(tip)
                self.tip, self.url, self.branch, self.platform = tip, url, branch, platform
                return
            url, branch = platform.url, platform.branch
        raise Failure(
            PRECONDITION,
            f"the configurations of {without_secrets(self.clone.url)} and {without_secrets(url)} "
            "name each other",
            f"the address in {PATH} has to be the repository that Argo CD reads",
        )

    def last_known(self) -> str:
        """Takes for the tip what the clone saw last; its age in words. Raises Failure."""
        tip = self.clone.last_known
        if not tip or self.lacks(tip):
            raise Failure(REMOTE, "this clone knows nothing of it either")
        self.platform = self._configuration(tip, self.url, self.clone.branch)
        self.tip, self.branch = tip, self.platform.branch
        age = self.git.local(self.folder, "log", "-1", "--format=%cr", tip)
        return age.text.strip()

    def _ask(self, url: str, branch: str, *, required: bool = True) -> str:
        """The commit that the branch has on the remote: the ref of exactly that name."""
        if not safe_address(url):
            raise Failure(PRECONDITION, f"the address of origin is not one: {without_secrets(url)}")
        ran = self.outward(self.folder, "ls-remote", "--heads", "--", url)
        if ran.code:
            raise Unreachable(f"cannot reach origin: {last_words(ran.words)}")
        # A branch may be named with what Python takes for the end of a line, and Git does not.
        pairs = [line.partition("\t")[::2] for line in ran.text.split("\n")]
        self.heads = {
            ref[len(_HEADS) :]: found
            for found, ref in pairs
            if ref.startswith(_HEADS) and _OBJECT.fullmatch(found)
        }
        if branch not in self.heads and required:
            raise Unreachable(f"origin has no branch {branch}")
        return self.heads.get(branch, "")

    def _fetch(self, url: str, branch: str, tip: str) -> None:
        if self._borrow and self.clone.has_reachable(tip) and not self.lacks(tip):
            return
        words = (
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
        )
        ran = self.outward(self.folder, *words, "--", url, tip)
        if (ran.code or self.lacks(tip)) and self._borrow:
            # The clone's own objects may be damaged or incomplete: do without them.
            self._borrow = False
            os.unlink(os.path.join(self.folder, "objects", "info", "alternates"))
            ran = self.outward(self.folder, *words, "--", url, tip)
        if ran.code:
            raise Unreachable(f"cannot fetch from origin: {last_words(ran.words)}")
        # The next fetch names what was fetched.
        self.git.local(self.folder, "update-ref", f"refs/heads/{branch}", tip)

    def lacks(self, commit: str) -> bool:
        return self.git.local(self.folder, "cat-file", "-e", f"{commit}^{{tree}}").code != 0

    def _configuration(self, tip: str, url: str, branch: str) -> Platform:
        content = self.read([f"{tip}:{PATH}"])[f"{tip}:{PATH}"]
        if content is None:
            raise Failure(
                PRECONDITION,
                f"origin's branch {branch} is not a GitOps repository: it has no {PATH}",
                f"origin is {without_secrets(url)}; check: git remote -v",
            )
        return parse(content.decode("utf-8", "replace"), f"{PATH} on origin's {branch}")

    def outward(self, folder: str, *words: str) -> Ran:
        """Git in the bare repository `folder`, with the settings that reach the remote."""
        settings = [s for s in reaching(self.clone.settings) if not self._leads_astray(s)]
        return self.git.outward(folder, settings, *words)

    def borrow_into(self, folder: str) -> None:
        """Makes a bare repository that also finds the objects of this one."""
        make_bare(self.git, folder, self.clone.object_format)
        borrow(folder, os.path.join(self.folder, "objects"))

    def _leads_astray(self, setting: Setting) -> bool:
        """Whether a setting would push to another repository than the one that is read."""
        key, begins = setting
        if not key.lower().endswith(".pushinsteadof") or not self.url.startswith(begins):
            return False
        base = key[len("url.") : -len(".pushinsteadof")]
        return identity(base + self.url[len(begins) :]) != identity(self.url)

    # --- reading

    def read(self, names: Iterable[str], folder: str = "") -> dict[str, Optional[bytes]]:
        """The contents of objects, named by id or as `commit:path`; None for what is not there.

        folder: another bare repository to read from.
        """
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        given = b"".join(os.fsencode(name) + b"\n" for name in wanted)
        ran = self.git.local(folder or self.folder, "cat-file", "--batch", "--buffer", given=given)
        found: dict[str, Optional[bytes]] = {}
        at = 0
        for name in wanted:
            end = ran.out.find(b"\n", at)
            if end < 0:
                raise Failure(PRECONDITION, f"cannot read objects of Git: {last_words(ran.words)}")
            header = ran.out[at:end].split(b" ")
            if header[-1] in (b"missing", b"ambiguous", b"submodule"):
                if ":" not in name:
                    raise _unreadable(f"the object {name} is missing")
                found[name], at = None, end + 1
                continue
            size = int(header[-1])
            found[name] = ran.out[end + 1 : end + 1 + size]
            at = end + 2 + size
        return found

    def objects_of(self, names: Iterable[str]) -> dict[str, Optional[str]]:
        """The ids of objects, named as `commit:path`; None for what is not there."""
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        given = b"".join(os.fsencode(name) + b"\n" for name in wanted)
        ran = self.git.local(self.folder, "cat-file", "--batch-check=%(objectname)", given=given)
        lines = ran.text.split("\n")
        return {
            name: line if _OBJECT.fullmatch(line) else None for name, line in zip(wanted, lines)
        }

    def entries(self, commit: str, *paths: str) -> dict[str, Entry]:
        """Every file and folder below `paths`, by path."""
        ran = self.git.local(self.folder, "ls-tree", "-r", "-t", "-z", commit, "--", *paths)
        if ran.code:
            raise Failure(PRECONDITION, f"cannot read a commit: {last_words(ran.words)}")
        found = {}
        for line in ran.out.split(b"\0"):
            if line:
                head, _, path = line.partition(b"\t")
                mode, kind, name = head.decode().split(" ")
                if path.startswith(b"/") or b".." in path.split(b"/"):
                    where = os.fsdecode(path)
                    raise Failure(PRECONDITION, f"a commit has a path out of its tree: {where!r}")
                found[os.fsdecode(path)] = Entry(mode, kind, name)
        return found

    def line(self, tip: str) -> list[str]:
        """The commits that the branch had one after the other, newest first."""
        return self._lines("rev-list", "--first-parent", tip)

    def commits_between(self, old: str, new: str) -> list[str]:
        """What `new` has and `old` lacks, newest first."""
        return self._lines("rev-list", "--topo-order", new, f"^{old}")

    def is_ancestor(self, commit: str, of: str) -> bool:
        return self.git.local(self.folder, "merge-base", "--is-ancestor", commit, of).code == 0

    def _lines(self, *words: str) -> list[str]:
        ran = self.git.local(self.folder, *words)
        if ran.code:
            raise _unreadable(last_words(ran.words))
        return ran.text.split()

    def changes(
        self, pairs: Sequence[tuple[str, Optional[str]]], *paths: str
    ) -> Iterator[tuple[str, list[tuple[Entry, Entry, str]]]]:
        """For each (commit, commit before) the files that differ below `paths`."""
        given = b"".join(
            f"{new} {old}\n".encode() if old else f"{new}\n".encode() for new, old in pairs
        )
        ran = self.git.local(
            self.folder, "diff-tree", "--stdin", "--root", "-r", "-z", "--raw", "--no-abbrev",
            "--no-renames", "--", *paths, given=given,
        )  # fmt: skip
        if ran.code:
            raise _unreadable(last_words(ran.words))
        commit, found = "", []
        tokens = iter(ran.out.split(b"\0"))
        for token in tokens:
            if token.startswith(b":"):
                old_mode, new_mode, old, new, _ = token[1:].decode().split(" ")
                path = os.fsdecode(next(tokens))
                found.append((_entry(old_mode, old), _entry(new_mode, new), path))
            elif token:
                if found:
                    yield commit, found
                commit, found = token.decode().split()[0], []
        if found:
            yield commit, found

    def difference(self, old: str, new: str, *paths: str) -> list[str]:
        """Git's difference between two trees, without the lines that name objects."""
        ran = self.git.local(
            self.folder, "diff-tree", "-p", "-r", "--no-renames", "--no-ext-diff", "--no-textconv",
            "--no-color", "--src-prefix=before/", "--dst-prefix=after/", "--text",
            old, new, "--", *paths,
        )  # fmt: skip
        if ran.code:
            raise Failure(PRECONDITION, f"Git cannot show the difference: {last_words(ran.words)}")
        lines = ran.text.split("\n")[:-1]
        return list(_without_headers(lines))

    # --- writing

    def write(self, contents: Sequence[bytes]) -> list[str]:
        """Objects with these contents; those that are there already are not written again."""
        names = [_name_of(content, self.clone.object_format) for content in contents]
        there = self.objects_of(names)
        missing = {n: content for n, content in zip(names, contents) if there[n] is None}
        paths = {name: os.path.join(self._scratch, name) for name in missing}
        for name, path in paths.items():
            with open(path, "wb") as stream:
                stream.write(missing[name])
        given = os.fsencode("".join(f"{path}\n" for path in paths.values()))
        ran = self.git.local(
            self.folder, "hash-object", "-w", "--no-filters", "--stdin-paths", given=given
        )
        for path in paths.values():
            os.unlink(path)
        if ran.code or ran.text.split() != list(missing):
            raise Failure(PRECONDITION, f"Git cannot write: {last_words(ran.words)}")
        return names

    def tree_with(self, tree: str, files: Mapping[str, Optional[str]]) -> str:
        """`tree` with the objects `files` at their paths; None removes what is there."""
        index = {"GIT_INDEX_FILE": os.path.join(self._scratch, "index")}
        zero = "0" * len(self.tip)
        removed = [f"0 {zero}\t{path}" for path, name in files.items() if name is None]
        added = [f"100644 {name}\t{path}" for path, name in files.items() if name is not None]
        given = os.fsencode("".join(f"{line}\0" for line in removed + added))
        for words, piped in (
            (("read-tree", tree), None),
            (("update-index", "--add", "--replace", "-z", "--index-info"), given),
            (("write-tree",), None),
        ):
            ran = self.git.local(self.folder, *words, extra=index, given=piped)
            if ran.code:
                raise Failure(PRECONDITION, f"Git cannot write: {last_words(ran.words)}")
        return ran.text.strip()

    def commit(self, tree: str, message: str, author: Person, committer: Person) -> str:
        """A commit on top of the tip, signed where the person's settings say so. Raises Failure."""
        settings = signing(self.clone.settings)
        wanted = [v for k, v in settings if k.lower() == "commit.gpgsign"]
        sign = ["-S"] if wanted and wanted[-1].lower() in ("", "true", "yes", "on", "1") else []
        ran = self.git.outward(
            self.folder,
            settings,
            "commit-tree",
            *sign,
            "-p",
            self.tip,
            tree,
            given=message.encode("utf-8", "surrogateescape"),
            extra={
                "GIT_AUTHOR_NAME": author.name,
                "GIT_AUTHOR_EMAIL": author.email,
                "GIT_COMMITTER_NAME": committer.name,
                "GIT_COMMITTER_EMAIL": committer.email,
            },
        )
        if ran.code:
            raise Failure(
                PRECONDITION,
                f"Git could not make the commit: {last_words(ran.words)}",
                "nothing was changed",
            )
        return ran.text.strip()

    # --- pushing

    def push(
        self, commit: str, branch: Optional[str] = None, expected: Optional[str] = None
    ) -> Ran:
        """Pushes to a branch that still is at `expected` (the tip), never over anything else."""
        ref = f"refs/heads/{branch or self.branch}"
        there = self.tip if expected is None else expected
        return self.outward(
            self.folder, "push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed",
            "--recurse-submodules=no", f"--force-with-lease={ref}:{there}",
            "--", self.url, f"{commit}:{ref}",
        )  # fmt: skip

    def branch_tip(self, branch: str) -> str:
        """The commit of another branch of the remote; empty where there is none."""
        return self._ask(self.url, branch, required=False)

    def landed(self, commit: str) -> bool:
        """Asks the remote whether its branch has `commit`; finds the new tip.

        Whatever scripts that tip has, these have pushed. Raises Unreachable.
        """
        self._follow(lambda _: None)
        has = commit == self.tip or self.is_ancestor(commit, self.tip)
        if has:  # so that the clone can fetch it from here
            self.git.local(self.folder, "update-ref", f"refs/heads/{self.branch}", commit)
        return has


def _unreadable(why: str) -> Failure:
    return Failure(
        PRECONDITION,
        f"the history cannot be read: {why}",
        "clone the repository anew, or complete this one: git fetch --unshallow",
    )


def is_contention(words: str) -> bool:
    """Whether a push was refused because of another one at the same time."""
    return _CONTENTION.search(words) is not None


def _name_of(content: bytes, object_format: str) -> str:
    """What Git calls a file of this content."""
    found = hashlib.new(object_format, b"blob %d\0" % len(content), usedforsecurity=False)
    found.update(content)
    return found.hexdigest()


def _entry(mode: str, name: str) -> Entry:
    return Entry(mode, {"040000": "tree", "160000": "commit"}.get(mode, "blob"), name)


def _without_headers(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith(("diff --git ", "index ", "new file mode ", "deleted file mode ")):
            continue
        yield line


def make_bare(git: Git, folder: str, object_format: str) -> None:
    """Makes an empty bare repository. Raises Failure."""
    os.makedirs(folder, exist_ok=True)
    made = git.local(
        folder, "init", "--quiet", "--bare", "--template=", f"--object-format={object_format}",
        folder,
    )  # fmt: skip
    if made.code:
        raise Failure(PRECONDITION, f"cannot make a temporary repository: {last_words(made.words)}")


def borrow(folder: str, objects: str) -> None:
    """Makes a bare repository find the objects of another one, too."""
    path = os.path.join(folder, "objects", "info", "alternates")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(_quoted(objects) + b"\n")


def _quoted(path: str) -> bytes:
    """A path for Git's list of borrowed objects, which takes one a line."""
    raw = os.fsencode(path)
    if raw[:1] not in (b'"', b"#") and b"\n" not in raw:
        return raw
    escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'
