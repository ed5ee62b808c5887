# Managed: generated, so change services.yaml or the stack files instead.
"""Git with a configuration of our own.

A person's settings reshape what Git prints and does, so what is read and written here never sees
them. Reaching a remote needs some: credentials, a proxy, another spelling of an address. Those are
read explicitly and handed over.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from release.errors import PRECONDITION, Failure
from release.processes import Processes, Ran

MINIMUM = (2, 29, 0)
_INHERITED = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|PROXY_COMMAND|PROXY_SSL\w*|SSL_\w+|HTTP_\w+"
    r"|EXEC_PATH|TERMINAL_PROMPT)"
)
"""Variables of Git that say how a remote is reached; every other one is left out."""
_REACHING = re.compile(
    r"(http|https|credential|ssh|url|gpg)\..*|core\.(sshcommand|askpass|gitproxy)"
)
"""The settings that say how a remote is reached."""
_SIGNING = re.compile(r"(gpg)\..*|commit\.gpgsign|user\.signingkey")
_NEUTRAL = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.useReplaceRefs=false",
    "core.warnAmbiguousRefs=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "advice.graftFileDeprecated=false",
    "protocol.ext.allow=never",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "push.gpgSign=false",
    "submodule.recurse=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
)
_OF_EVERY_FAILURE = re.compile(
    r"fatal: (Could not read from remote repository|[Tt]he remote end hung up|early EOF)"
)
_OPTIONS = tuple(word for setting in _NEUTRAL for word in ("-c", setting))

Setting = tuple[str, str]


class Person(NamedTuple):
    """Who a commit is by."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Git:
    """Runs Git, with everything that may steer it under control."""

    def __init__(self, processes: Processes, environ: Mapping[str, str], home: str) -> None:
        """`home`: an empty folder, used in place of the person's."""
        self._processes = processes
        self._given = dict(environ)
        self._clean = {
            key: value for key, value in environ.items() if not key.startswith("GIT_")
        } | {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "LC_ALL": "C",
            "LANGUAGE": "",
        }
        self._inherited = {k: v for k, v in environ.items() if _INHERITED.fullmatch(k)}
        if not _at_terminal():
            self._inherited["GIT_TERMINAL_PROMPT"] = "0"
        self._home = home
        self._alone = self._clean | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HOME": home,
            "XDG_CONFIG_HOME": home,
        }
        self.version = self._read_version()

    def _read_version(self) -> tuple[int, ...]:
        try:
            ran = self._processes.run(["git", "version"], cwd=self._home, environ=self._alone)
        except (FileNotFoundError, PermissionError) as error:
            raise Failure(PRECONDITION, "git is not installed") from error
        found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", ran.text)
        version = tuple(int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        if version < MINIMUM:
            raise Failure(
                PRECONDITION,
                f"{ran.text.strip() or 'git without a version'} is too old",
                "install git {}.{}.{} or newer".format(*MINIMUM),
            )
        return version

    def local(
        self,
        repository: str,
        *words: str,
        given: Optional[bytes] = None,
        extra: Optional[Mapping[str, str]] = None,
    ) -> Ran:
        """Git in the bare `repository`, without a setting of anybody."""
        return self._processes.run(
            ["git", *_OPTIONS, f"--git-dir={repository}", *words],
            cwd=repository,
            environ=self._alone | dict(extra or {}),
            given=given,
        )

    def outward(
        self,
        repository: str,
        settings: Iterable[Setting],
        *words: str,
        extra: Optional[Mapping[str, str]] = None,
        given: Optional[bytes] = None,
    ) -> Ran:
        """Git in the bare `repository`, with the settings that a remote or a signature needs."""
        handed = dict(_numbered(settings)) | {"GIT_CONFIG_GLOBAL": os.devnull}
        if self.version < (2, 32, 0):  # neither can be said: the person's own settings apply
            handed = {}
        return self._processes.run(
            ["git", *_OPTIONS, f"--git-dir={repository}", *words],
            cwd=repository,
            environ=self._clean | self._inherited | handed | dict(extra or {}),
            given=given,
        )

    def inside(self, clone: str, *words: str, hooks: bool = False) -> Ran:
        """Git in a person's clone, as they would run it there, but without hooks."""
        environ = {
            key: value
            for key, value in self._given.items()
            if not key.startswith("GIT_") or re.match(r"GIT_(CONFIG|AUTHOR|COMMITTER)", key)
        }
        for key in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            environ.pop(key, None)
        environ |= {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            "LANGUAGE": "",
        }
        quiet = (
            "-c",
            "core.fsmonitor=false",
            *(() if hooks else ("-c", "core.hooksPath=/dev/null")),
        )
        return self._processes.run(["git", "-C", clone, *quiet, *words], environ=environ)

    def hook(self, program: str, clone: str, words: Sequence[str], given: str, objects: str) -> Ran:
        """A hook of a person's clone, which also finds the `objects` of another repository."""
        environ = {k: v for k, v in self._given.items() if not k.startswith("GIT_")}
        environ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = objects
        try:
            return self._processes.run(
                [program, *words], cwd=clone, environ=environ, given=given.encode()
            )
        except OSError as error:
            return Ran(126, b"", f"{program}: {error.strerror}\n".encode())

    def settings(self, clone: str) -> list[Setting]:
        """Every setting that a person has in `clone`, in the order in which Git reads them."""
        listed = self.inside(clone, "config", "--list", "-z")
        found = []
        for entry in listed.out.split(b"\0"):
            key, _, value = os.fsdecode(entry).partition("\n")
            if key:
                found.append((key, value))
        return found


def reaching(settings: Iterable[Setting]) -> list[Setting]:
    """Those of the settings that say how a remote is reached."""
    return [(key, value) for key, value in settings if _REACHING.fullmatch(key.lower())]


def signing(settings: Iterable[Setting]) -> list[Setting]:
    """Those of the settings that say how a commit is signed."""
    return [(key, value) for key, value in settings if _SIGNING.fullmatch(key.lower())]


def last_words(text: str) -> str:
    """The line of a program's errors that says why: what Git says of every failure is no reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reasons = [line for line in lines if re.match(r"(remote: )?(fatal|error|ERROR)", line)]
    telling = [line for line in reasons if not _OF_EVERY_FAILURE.match(line)]
    before = lines[: lines.index(reasons[0])] if reasons else lines
    found = telling[:1] or before[-1:] or reasons[:1] or ["it said nothing"]
    return without_secrets(found[0])


def without_secrets(text: str) -> str:
    """`text` with the credentials of addresses left out."""
    return re.sub(r"(\b\w[\w+.-]*://)[^/\s]*@", r"\1", text)


def _numbered(settings: Iterable[Setting]) -> Iterable[tuple[str, str]]:
    count = 0
    for count, (key, value) in enumerate(settings, start=1):
        yield f"GIT_CONFIG_KEY_{count - 1}", key
        yield f"GIT_CONFIG_VALUE_{count - 1}", value
    yield "GIT_CONFIG_COUNT", str(count)


def _at_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:
        return False
