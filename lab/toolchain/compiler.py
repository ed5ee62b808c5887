"""Compiles one tool and puts its folder together."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.toolchain.cache import GO_FLAGS, LINKER_FLAGS, Cache
from lab.toolchain.imports import keep_imports
from lab.toolchain.pruning import prune
from lab.toolchain.tools import Tool
from settings.problems import UserError

HEARTBEAT_SECONDS = 30
"""A compile is silent for minutes: this often, say that it goes on."""

UNFINISHED = ".unfinished-"
"""How the name of a folder starts in which a tool is being built."""

TAIL_LINES = 20


class CompileError(UserError):
    """The compiler refused a tool, or its sources could not be had."""

    def __init__(self, tool: Tool, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines()
        said = "\n".join(f"  {line}" for line in lines[-TAIL_LINES:]) or "  (nothing)"
        c_compiler = " It needs a C compiler (gcc)." if tool.cgo else ""
        super().__init__(
            f"{tool.name} {tool.release} does not build. The compiler's last words:\n{said}\n"
            f"All of them: {log}\n"
            f"The first build of a tool needs the Go module proxy.{c_compiler} Run the same "
            "command again when the cause is gone: tools that are finished are kept."
        )


class ChangedError(UserError):
    """What pins a tool was edited while it was built: nobody knows what the program is made of."""

    def __init__(self, tool: Tool) -> None:
        super().__init__(
            f"lab/toolchain/{tool.folder} or tools.py changed while {tool.name} was built; run the "
            "same command again"
        )


def duration(seconds: float) -> str:
    """A time for people: `45 s`, `7 min 40 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@dataclass(frozen=True)
class Compiler:
    """A Go toolchain at work for one cache.

    Attributes:
        go: the go command.
        cache: where Go's own caches, the logs and the finished tools are.
        report: takes one line of progress.
    """

    go: Path
    cache: Cache
    report: Callable[[str], None]

    async def build(self, tool: Tool) -> None:
        """Compile the tool into the cache; it appears there complete or not at all.

        Cancelled, it ends the compilers that it started.

        Raises:
            CompileError: with the end of the compiler's output.
            UnknownNamesError: its table names what its module does not have.
            ChangedError: its pins were edited meanwhile.
        """
        home = self.cache.home(tool)  # of the pins as they are now, not as they are at the end
        self.cache.tools.mkdir(parents=True, exist_ok=True)
        prefix = f"{UNFINISHED}{tool.name}-"
        unfinished = Path(tempfile.mkdtemp(prefix=prefix, dir=self.cache.tools))
        try:
            unfinished.chmod(0o755)  # mkdtemp lets in only its owner
            (unfinished / "bin").mkdir()
            await self._compile(tool, unfinished)
            if tool.files or tool.folders:
                self._add_module_files(tool, unfinished)
            for link in tool.links:
                (unfinished / "bin" / link).symlink_to(tool.name)
            if self.cache.home(tool) != home:
                raise ChangedError(tool)
            unfinished.rename(home)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def discard_unfinished(self) -> None:
        """Remove what a killed build left; only while holding the build lock."""
        for folder in self.cache.tools.glob(f"{UNFINISHED}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def discard_go_caches(self) -> None:
        """Remove Go's module and build caches, several GB that finished tools do not need."""
        command = [str(self.go), "clean", "-cache", "-modcache"]
        subprocess.run(command, env=self._environment(), check=False, capture_output=True)
        shutil.rmtree(self.cache.go, ignore_errors=True)

    def _environment(self, *, cgo: bool = False) -> dict[str, str]:
        """The user's environment (proxies and the like) with what a pinned build fixes."""
        return {
            **os.environ,
            "CGO_ENABLED": "1" if cgo else "0",
            "GOCACHE": str(self.cache.go / "build"),
            "GOFLAGS": " ".join(GO_FLAGS),
            "GOMODCACHE": str(self.cache.go / "mod"),
            "GOPATH": str(self.cache.go),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }

    async def _compile(self, tool: Tool, home: Path) -> None:
        work = home / "work"  # Go's scratch space is large, and /tmp often is not
        work.mkdir()
        variables = [f"-X {name}={value}" for name, value in tool.variables.items()]
        command = [
            *["build", "-ldflags", " ".join((*LINKER_FLAGS, *variables))],
            *["-o", str(home / "bin" / tool.name)],
        ]
        log = self.cache.log(tool)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        if tool.types or tool.imports:
            command.append(f"-modfile={await self._pruned(tool, work)}")
        await self._run(tool, work, *command, tool.package)
        shutil.rmtree(work)

    async def _pruned(self, tool: Tool, work: Path) -> Path:
        """The go.mod of a build that takes the module from a copy with less in it."""
        await self._run(tool, work, "mod", "download", tool.module)
        ours, copied = self.cache.modules / tool.folder, work / "module"
        if tool.types:
            prune(self._module(tool), copied, ours / tool.types)
        else:
            keep_imports(self._module(tool), copied, tool.imports)
        for pins in ("go.mod", "go.sum"):
            shutil.copyfile(ours / pins, work / pins)
        go_mod = work / "go.mod"
        await self._run(tool, work, "mod", "edit", f"-replace={tool.module}={copied}", str(go_mod))
        return go_mod

    async def _run(self, tool: Tool, work: Path, *arguments: str) -> None:
        """Run the go command in the tool's module and wait; its output goes to the tool's log."""
        log = self.cache.log(tool)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                str(self.go),
                *arguments,
                cwd=self.cache.modules / tool.folder,
                env={**self._environment(cgo=tool.cgo), "GOTMPDIR": str(work)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that the compilers it starts can be ended with it
            )
            try:
                await self._wait(process, tool)
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
        if process.returncode != 0:
            raise CompileError(tool, log)

    async def _wait(self, process: asyncio.subprocess.Process, tool: Tool) -> None:
        started = time.monotonic()
        while True:
            try:
                await asyncio.wait_for(process.wait(), HEARTBEAT_SECONDS)
                return
            except TimeoutError:
                elapsed = duration(time.monotonic() - started)
                self.report(f"  still building {tool.name}, {elapsed}")

    def _module(self, tool: Tool) -> Path:
        """The folder of the tool's module in Go's module cache, once it is downloaded."""
        answer = subprocess.run(
            [self.go, "list", "-m", "-f", "{{.Dir}}", tool.module],
            cwd=self.cache.modules / tool.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return Path(answer.stdout.strip())

    def _add_module_files(self, tool: Tool, home: Path) -> None:
        module = self._module(tool)
        for name, source in tool.files.items():
            copy(module / source, home / "bin" / name)
        for folder in tool.folders:
            for source_file in (module / folder).rglob("*"):
                if source_file.is_file():
                    copy(source_file, home / "module" / source_file.relative_to(module))


def copy(source: Path, target: Path) -> None:
    """Copy a file of the module cache, where all is read-only and no script is executable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.suffix == ".sh" else 0o644)
