"""A GitOps repository to release through: a bare origin, clones, and a registry made of files.

The tree is what the generator renders from the committed configuration, scripts included. The
scripts run for real, with the real kustomize and helm.
"""

from __future__ import annotations

import hashlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops import tree
from gitops.version import released_helm, released_kustomize
from settings.files import ROOT
from settings.loading import load_files
from tests.programs import program
from tests.scripts.machine import SYSTEM, Machine, of_the_environment

CHECKOUT = ROOT
STAND_INS = Path(__file__).with_name("stand_ins")
URL = "https://github.com/acme/gitops.git"
"""What the configuration names as the repository; here it leads to a folder."""
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
TV_API, TV_FRONTEND = "streaming/tv-api", "streaming/tv-frontend"
"""Delivered by commits."""
TOURNAMENTS, LEADERBOARD = "community/tournaments", "community/leaderboard"
"""Delivered by Keel; the second is a Helm chart."""
TIMEOUT = 60
DECLINED, USAGE, PRECONDITION, UNVERIFIED, REMOTE, FAULT, INTERRUPTED = 1, 2, 3, 4, 5, 70, 130
"""Exit codes, as --help tells them."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """One version of a service."""

    version: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a script ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def make_build(seed: str, day: str = "20261101") -> Build:
    """A version and a digest that follow from `seed`."""
    text = hashlib.sha256(seed.encode()).hexdigest()
    return Build(version=f"v{day}-{text[:7]}", digest=f"sha256:{text}")


ONE, TWO, THREE = make_build("1"), make_build("2", "20261102"), make_build("3", "20261103")


def git(folder: Path, *words: str, **options: Any) -> str:
    """What git prints, without the line's end; a failure is an error of the test."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True, **options
    )
    return done.stdout.rstrip("\n")


class Registry:
    """ECR as files: what the stand-in for the AWS CLI answers from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def push(self, service: str, build: Build, *tags: str, minutes_ago: int = 0) -> None:
        """Pushes `build`, under its version and `tags`, which leave whatever had them."""
        images = self.images(service)
        for image in images:
            image["imageTags"] = [
                tag for tag in image["imageTags"] if tag not in (build.version, *tags)
            ]
        images.append(
            {
                "imageDigest": build.digest,
                "imagePushedAt": time.time() - 60 * minutes_ago,
                "imageTags": [build.version, *tags],
            }
        )
        self._file(service).write_text(json.dumps(images), encoding="utf-8")

    def expire(self, service: str, build: Build) -> None:
        images = [i for i in self.images(service) if i["imageDigest"] != build.digest]
        self._file(service).write_text(json.dumps(images), encoding="utf-8")

    def images(self, service: str) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = json.loads(self._file(service).read_text(encoding="utf-8"))
        return images

    def create(self, service: str) -> None:
        self._file(service).write_text("[]", encoding="utf-8")

    def go_down(self) -> None:
        (self.folder / "down").touch()

    @property
    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []

    def _file(self, service: str) -> Path:
        return self.folder / f"{service.replace('/', '__')}.json"


class ReleaseRepository:
    """An origin with the generated tree, a person's clone of it, and the registry."""

    def __init__(self, root: Path, scaffold: Path, machine: Machine | None = None) -> None:
        """Below `root`, from the bare repository `scaffold`."""
        self.root = root
        self.machine = machine or of_the_environment()
        self.origin = root / "origin.git"
        shutil.copytree(scaffold, self.origin, symlinks=True)
        self.programs = make_programs(root / "programs")
        self.machine.install(self.programs)
        (root / "registry").mkdir()
        (root / "temporary").mkdir()
        (root / "home").mkdir()
        (root / "home" / ".gitconfig").write_text(self._address, encoding="utf-8")
        self.registry = Registry(root / "registry")
        for service in (TV_API, TV_FRONTEND, TOURNAMENTS, LEADERBOARD):
            self.registry.create(service)
        self.clone = self.new_clone("clone")

    @property
    def _address(self) -> str:
        """Git's setting by which the address in the configuration leads to the origin."""
        return f'[url "{self.origin}"]\n\tinsteadOf = {URL}\n'

    def new_clone(self, name: str, person: str = "Ada") -> Path:
        clone = self.root / name
        git(self.root, "clone", "--quiet", str(self.origin), name)
        git(clone, "remote", "set-url", "origin", URL)
        with (clone / ".git" / "config").open("a", encoding="utf-8") as config:
            config.write(f"[user]\n\tname = {person}\n\temail = {person.lower()}@acme.example\n")
            config.write(self._address)
            config.write("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n")
        return clone

    @property
    def environ(self) -> dict[str, str]:
        """What the scripts find: nothing of the person who runs the tests."""
        return {
            **self.machine.environ(self.programs),
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "temporary"),
            "FAKE_REGISTRY": str(self.registry.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TERM": "xterm",
        }

    def start(
        self, script: str, *words: str, clone: Path | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """A script that runs on its own, in a process group of its own."""
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "env": self.environ,
            **options,
        }
        return subprocess.Popen(
            [f"scripts/{script}", *words],
            cwd=clone or self.clone,
            start_new_session=True,
            **options,
        )

    def run(self, script: str, *words: str, **options: Any) -> Ran:
        """A script with no terminal, to its end."""
        process = self.start(script, *words, **options)
        out, err = process.communicate(timeout=TIMEOUT)
        return Ran(code=process.returncode, out=out, err=err)

    def promote(self, *words: str, **options: Any) -> Ran:
        return self.run("promote-to-prod.sh", *words, **options)

    def bring(self, *versions: str) -> None:
        """Promotes these versions of tv-api, one after the other."""
        for version in versions:
            ran = self.promote(version, "--service", TV_API, "--yes")
            assert ran.code == 0, ran.said

    def rollback(self, *words: str, **options: Any) -> Ran:
        return self.run("rollback-prod.sh", *words, **options)

    def history(self, *words: str) -> list[dict[str, Any]]:
        """`history.sh --json`, parsed."""
        ran = self.run("history.sh", "--json", *words)
        assert ran.code == 0, ran.said
        rows: list[dict[str, Any]] = json.loads(ran.out)
        return rows

    def deliver(self, service: str, build: Build, subject: str = "A change") -> None:
        """Puts `build` on dev and into the registry, as the service's pipeline does."""
        self.registry.push(service, build, "dev")
        self.put("dev", service, build, kind="build", subject=subject)

    def put(
        self,
        environment: str,
        service: str,
        build: Build,
        *,
        kind: str,
        subject: str = "",
        host: str = HOST,
    ) -> None:
        """A release commit on origin, straight from the convention and not from the scripts."""
        trailers = {
            "Release-Service": service,
            "Release-Environment": environment,
            "Release-Version": build.version,
            "Release-Digest": build.digest,
            "Release-Kind": kind,
            "Release-By": "Pipe <pipe@acme.example>",
            **({"Release-Subject": subject} if subject else {}),
        }
        lines = "\n".join(f"{key}: {value}" for key, value in trailers.items())
        self.edit(
            {version_path(environment, service): version_text(service, build, host)},
            f"{environment}: {service} {build.version}\n\n{lines}\n",
        )

    def edit(self, files: dict[str, str], message: str = "By hand", person: str = "Bo") -> None:
        """Commits `files` on origin's main, as somebody else would."""
        elsewhere = self.root / "elsewhere"
        if not elsewhere.exists():
            self.new_clone("elsewhere", person)
        git(elsewhere, "pull", "--quiet", "--ff-only")
        for path, text in files.items():
            (elsewhere / path).write_text(text, encoding="utf-8")
        git(elsewhere, "add", "--all")
        git(elsewhere, "commit", "--quiet", "-m", message)
        git(elsewhere, "push", "--quiet")

    def on_origin(self, path: str) -> str:
        return git(self.origin, "show", f"main:{path}")

    def runs(self, environment: str, service: str) -> str:
        """The bytes of a version file on origin."""
        return self.on_origin(version_path(environment, service)) + "\n"

    def render_plainly(self) -> None:
        """A quick kustomize, for what does not depend on the real one."""
        write_program(self.programs / "kustomize", _PLAIN_KUSTOMIZE)

    @property
    def tip(self) -> str:
        return git(self.origin, "rev-parse", "main")

    def hook(self, name: str, script: str, repository: Path | None = None) -> None:
        """A hook of origin (or of a clone)."""
        folder = (repository / ".git" if repository else self.origin) / "hooks"
        folder.mkdir(exist_ok=True)
        file = folder / name
        write_program(file, script)

    def snapshot(self, clone: Path | None = None) -> dict[str, str]:
        """Everything about a clone that a release must leave alone, and origin's tip."""
        clone = clone or self.clone
        index = hashlib.sha256((clone / ".git" / "index").read_bytes()).hexdigest()
        files = {
            path.relative_to(clone).as_posix(): path.read_bytes()
            for path in clone.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(clone).parts
        }
        return {
            "index": index,
            "refs": git(clone, "for-each-ref"),
            "head": (clone / ".git" / "HEAD").read_text(encoding="utf-8"),
            "worktrees": git(clone, "worktree", "list", "--porcelain"),
            "files": hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest(),
            "left behind": " ".join(p.name for p in (self.root / "temporary").iterdir()),
            "origin": self.tip,
        }


class Terminal:
    """A script at a terminal, with somebody who reads and types."""

    def __init__(self, repository: ReleaseRepository, script: str, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = repository.start(
            script, *words, stdin=theirs, stdout=theirs, stderr=theirs, text=False
        )
        os.close(theirs)
        self.seen = ""
        self._waited_for = 0
        """Up to where: what comes in one piece with it may be waited for next."""

    def wait_for(self, text: str) -> None:
        """Reads until `text` was shown, behind what was waited for before."""
        while (found := self.seen.find(text, self._waited_for)) < 0:
            part = self._read(text)
            assert part, f"ended without {text!r}:\n{self.seen}"
            self.seen += part
        self._waited_for = found + len(text)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self, how: signal.Signals = signal.SIGINT) -> None:
        """What Ctrl-C does: the signal goes to every process of the group."""
        os.killpg(self.process.pid, how)

    def end(self) -> int:
        """Reads the rest; the exit code."""
        while part := self._read("its end"):
            self.seen += part
        os.close(self._ours)
        return self.process.wait(TIMEOUT)

    def _read(self, awaited: str) -> str:
        """What the script says next; empty once it has ended."""
        readable, _, _ = select.select([self._ours], [], [], TIMEOUT)
        assert readable, f"silent for {TIMEOUT} s without {awaited!r}:\n{self.seen}"
        with suppress(OSError):  # the other side was closed
            return os.read(self._ours, 65536).decode(errors="replace")
        return ""


def version_path(environment: str, service: str) -> str:
    name = "values.yaml" if service == LEADERBOARD else "kustomization.yaml"
    return f"environments/{environment}/{service}/version/{name}"


def version_text(service: str, build: Build, host: str = HOST) -> str:
    """The bytes that the generator would write for `build`."""
    if service == LEADERBOARD:
        return released_helm(build.version, build.digest)
    return released_kustomize(f"{host}/{service}", build.version, build.digest)


def write_tree(folder: Path, settings: Path = CHECKOUT) -> None:
    """The generated repository, all environments together, from the files in `settings`."""
    for stack in ("dev", "prod"):
        for path, file in tree.scaffold(load_files(stack, settings)).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.text, encoding="utf-8")
            if file.executable:
                target.chmod(0o755)


def make_scaffold(folder: Path, settings: Path = CHECKOUT) -> Path:
    """A bare repository with the generated tree as its only commit."""
    bare, work = folder / "scaffold.git", folder / "work"
    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(bare))
    write_tree(work, settings)
    git(work, "init", "--quiet", "--initial-branch", "main")
    git(work, "add", "--all")
    identity = ("-c", "user.name=Pulumi", "-c", "user.email=platform@acme.example")
    git(work, *identity, "commit", "--quiet", "-m", "Scaffold")
    git(work, "push", "--quiet", str(bare), "main")
    git(bare, "config", "receive.autogc", "false")
    return bare


def make_programs(folder: Path) -> Path:
    """A folder for PATH: the stand-ins, and the real kustomize and helm."""
    folder.mkdir()
    for name in ("aws", "docker"):
        write_program(folder / name, f'exec "{sys.executable}" "{STAND_INS / name}.py" "$@"')
    for name in ("kustomize", "helm"):
        (folder / name).symlink_to(program(name))
    return folder


def write_program(path: Path, script: str) -> None:
    path.unlink(missing_ok=True)
    # What stands in for others has the system's tools, whatever the scripts find.
    path.write_text(f"#!/bin/bash\nPATH=$PATH:{SYSTEM}\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


_PLAIN_KUSTOMIZE = """\
if [[ $1 == version ]]; then echo v5.8.1; exit; fi
if [[ -e $2/chart.yaml ]]; then cat "$2/chart.yaml"; exit; fi
[[ -d $2/version ]] || exit 1
grep -q newTag: "$2/version/kustomization.yaml" || exit 0
image=$(awk '/name:/ { n = $3 } /newTag:/ { t = $2 } /digest:/ { d = "@" $2 }
             END { print n ":" t d }' "$2/version/kustomization.yaml")
printf 'apiVersion: apps/v1\\nkind: Deployment\\nmetadata:\\n  name: %s\\n' "${2##*/}"
printf 'spec:\\n  template:\\n    spec:\\n      containers:\\n      - image: %s\\n' "$image"
sed 's/^/# /' "$2/kustomization.yaml" "$2/deployment.yaml"
if [[ -e $2/ingress.yaml ]]; then
  printf -- '---\\napiVersion: networking.k8s.io/v1\\nkind: Ingress\\n'
  printf 'metadata:\\n  name: %s\\n' "${2##*/}"
fi
"""
