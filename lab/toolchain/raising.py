"""Raises the version of a program: in the Go module that pins it, and in the table of programs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from lab.toolchain.cache import MODULES
from lab.toolchain.tools import Tool
from settings.problems import UserError

TABLE = MODULES / "tools.py"
KUBERNETES = "k8s.io/kubernetes"
FLAGS = {
    "GOFLAGS": "-mod=mod",
    "GONOSUMDB": "github.com/pulumi/*,github.com/upbound/*",
    "GOTOOLCHAIN": "local",
}
"""The checksum database lacks some of these modules; go.sum is what pins them."""


class RaiseError(UserError):
    """Go does not find the version, or finds no set of versions that fits it."""

    def __init__(self, tool: Tool, version: str, said: str) -> None:
        super().__init__(f"{tool.module}@{version} cannot be had for {tool.name}: {said}")


def raise_version(tool: Tool, version: str, go: Path, modules: Path = MODULES) -> None:
    """Make `version`, such as v3.23.0, the pinned one. Nothing is compiled.

    Programs of the same module are raised together. On an error no file has changed.

    Raises:
        RaiseError: what Go said.
    """
    folder = modules / tool.folder
    files = [folder / "go.mod", folder / "go.sum", modules / TABLE.name]
    before = {file: file.read_text(encoding="utf-8") for file in files}
    pins = files[0]
    pins.write_text(with_replacements(before[pins], tool, version), encoding="utf-8")
    # Of the package and not of the module: go.sum then has all that the program is made of.
    wanted = tool.module if tool.package.startswith("./") else tool.package
    done = subprocess.run(
        [go, "get", f"{wanted}@{version}"],
        cwd=folder,
        env={**os.environ, **FLAGS},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        for file, text in before.items():
            file.write_text(text, encoding="utf-8")
        raise RaiseError(tool, version, done.stderr.strip())
    table = with_version(before[files[2]], tool, version)
    files[2].write_text(table, encoding="utf-8")


def with_version(table: str, tool: Tool, version: str) -> str:
    """The text of tools.py with another version in the tool's own entry."""
    old, new = tool.version.removeprefix("v"), version.removeprefix("v")
    start, end = _entry(table, tool)
    entry = re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", new, table[start:end])
    return table[:start] + entry + table[end:]


def _entry(table: str, tool: Tool) -> tuple[int, int]:
    """Where the tool's version is; programs of Kubernetes have it together, before the table."""
    if tool.module == KUBERNETES:
        return table.index("_KUBERNETES_VERSION = "), table.index("\nTOOLS: ")
    start = table.index(f'name="{tool.name}"')
    return start, table.index("\n    ),\n", start)


def with_replacements(pins: str, tool: Tool, version: str) -> str:
    """The text of go.mod, where what replaces the module follows its version.

    The modules that Kubernetes publishes apart have it as v0.…
    """
    if tool.module == KUBERNETES:
        old, new = (v.replace("v1.", "v0.", 1) for v in (tool.version, version))
        return re.sub(rf"(?m)^(.*=> k8s\.io/\S+ ){re.escape(old)}$", rf"\g<1>{new}", pins)
    replaced = rf"(?m)^(.*\b{re.escape(tool.module)} => \S+ ){re.escape(tool.version)}$"
    return re.sub(replaced, rf"\g<1>{version}", pins)
