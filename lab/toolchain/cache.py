"""Where built tools are kept, outside any checkout, and under which key.

    <cache>/tools/<name>-<key>/bin/       the program, its links and the files it expects beside it
    <cache>/tools/<name>-<key>/module/    folders of its module that the lab reads
    <cache>/go/                           Go's module and build caches, gone once all is built
    <cache>/logs/<name>.log               what the compiler said

A tool's folder appears in one rename when it is complete, so what is there is whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.toolchain import pruning
from lab.toolchain.tools import GO_RELEASE, Tool

MODULES = Path(__file__).resolve().parent
"""The folder that holds our Go modules."""

GO_FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath")
LINKER_FLAGS = ("-s", "-w")


def default_folder(environment: Mapping[str, str]) -> Path:
    """The cache folder: $TWO_SPEED_CACHE, else in the user's cache folder."""
    if chosen := environment.get("TWO_SPEED_CACHE"):
        return Path(chosen).expanduser().absolute()
    user_caches = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user_caches) / "two-speed-gitops"


def key(tool: Tool, modules: Path = MODULES) -> str:
    """A short hash of everything that a build of the tool depends on.

    That is the Go module that pins it (comments in go.mod aside), our own Go code if it is
    compiled, how it is compiled and put together, the Go release and the kind of machine.
    """
    recipe = dataclasses.asdict(tool)
    # These say nothing about what is built; the file that `types` names is hashed below.
    for name in ("usual_seconds", "version_command", "plugin", "types"):
        del recipe[name]
    if not tool.imports:
        del recipe["imports"]
    digest = hashlib.sha256(
        json.dumps(
            [recipe, GO_FLAGS, LINKER_FLAGS, GO_RELEASE, platform.system(), platform.machine()],
            sort_keys=True,
        ).encode()
    )
    folder = modules / tool.folder
    digest.update(re.sub(rb"\s*//.*", b"", (folder / "go.mod").read_bytes()))
    for file in [folder / "go.sum", *_our_code(tool, folder)]:
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(folder)} {len(content)}\n".encode() + content)
    if tool.types:
        digest.update(Path(pruning.__file__).read_bytes())
    return digest.hexdigest()[:12]


def _our_code(tool: Tool, folder: Path) -> list[Path]:
    """The files that are compiled in beside the module, if the tool has a main of ours."""
    if not tool.package.startswith("./"):
        return []
    pins = (folder / "go.mod", folder / "go.sum")
    return sorted(file for file in folder.rglob("*") if file.is_file() and file not in pins)


@dataclass(frozen=True)
class Cache:
    """The cache folder and the places in it, for the pins of some Go modules of ours."""

    folder: Path
    modules: Path = MODULES

    @property
    def go(self) -> Path:
        """Go's own caches."""
        return self.folder / "go"

    @property
    def lock(self) -> Path:
        """The file that a builder keeps locked."""
        return self.folder / "build.lock"

    def log(self, tool: Tool) -> Path:
        """What the compiler said when it last built the tool."""
        return self.folder / "logs" / f"{tool.name}.log"

    @property
    def tools(self) -> Path:
        """The folder of the finished tools."""
        return self.folder / "tools"

    def home(self, tool: Tool) -> Path:
        """The folder of one tool; it exists once the tool is built."""
        return self.tools / f"{tool.name}-{key(tool, self.modules)}"

    def program(self, tool: Tool) -> Path:
        """The tool's program; it exists once the tool is built."""
        return self.home(tool) / "bin" / tool.name
