"""Raises the version of a program: in the Go module that pins it, and in the table of programs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from lab.toolchain.cache import MODULES
from lab.toolchain.tools import Tool
from settings import UserError

TABLE = MODULES / "tools.py"
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
    pins.write_text(with_staging_modules(before[pins], tool, version), encoding="utf-8")
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
    """The text of tools.py, with another version wherever the tool's own stood."""
    old, new = tool.version.removeprefix("v"), version.removeprefix("v")
    return re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", new, table)


def with_staging_modules(pins: str, tool: Tool, version: str) -> str:
    """The text of go.mod: modules of Kubernetes that are replaced follow its version, as v0.…"""
    if tool.module != "k8s.io/kubernetes":
        return pins
    old, new = (v.replace("v1.", "v0.", 1) for v in (tool.version, version))
    return re.sub(rf"(?m)^(.*=> k8s\.io/\S+ ){re.escape(old)}$", rf"\g<1>{new}", pins)
