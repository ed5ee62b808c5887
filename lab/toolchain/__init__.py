"""The programs that the lab runs, at pinned versions, without a container or a download page.

Most are compiled once from Go modules by `python -m lab.toolchain build` and kept in a cache
outside the checkout; a few come inside Python packages. Each folder beside this file is a Go
module whose go.mod and go.sum pin what is compiled; parts that can share versions share a folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lab.toolchain.cache import Cache, default_folder
from lab.toolchain.sources import Found, find_tool, find_wheel
from lab.toolchain.tools import PROGRAMS, TOOLS, Tool, Wheel
from settings.problems import UserError

__all__ = ["Found", "MissingToolError", "Tool", "Toolchain", "Wheel", "resolve"]


class MissingToolError(UserError):
    """A program that the lab needs is not there; the message says how to get it."""

    def __init__(self, tool: Tool | Wheel) -> None:
        if isinstance(tool, Wheel):
            remedy = (
                f"comes with the Python package {tool.distribution}, which this Python "
                "environment lacks; install the project's requirements"
            )
        else:
            remedy = f"{tool.release} is not built yet; run: python -m lab.toolchain build"
        super().__init__(f"{tool.name} {remedy}")


PROVIDER = "pulumi-resource-"


class Toolchain:
    """Finds the programs and the upstream files that the lab runs with.

    It never builds anything and, when all is in the cache, starts no process either.
    """

    def __init__(
        self, cache: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Look below `cache` and on the PATH of `environment`; by default the process's own."""
        self._environment = os.environ if environment is None else environment
        self.cache = Cache(cache or default_folder(self._environment))

    def find(self, tool: Tool | Wheel) -> Found | None:
        """The program with its version and origin, or None when it is missing."""
        if isinstance(tool, Wheel):
            return find_wheel(tool)
        return find_tool(tool, self.cache, self._environment)

    def path(self, name: str) -> Path:
        """The program of that name, which may be a link's name such as `argocd-server`.

        Raises:
            KeyError: no tool has that name.
            MissingToolError: it is not built or not installed.
        """
        for tool in PROGRAMS:
            links = tool.links if isinstance(tool, Tool) else ()
            if name == tool.name or name in links:
                found = self.find(tool)
                if found is None:
                    raise MissingToolError(tool)
                return found.path.with_name(name)
        raise KeyError(name)

    def paths(self) -> dict[str, Path]:
        """Every program by name, links included; raises MissingToolError at the first missing."""
        links = [link for tool in TOOLS for link in tool.links]
        names = [tool.name for tool in PROGRAMS]
        return {name: self.path(name) for name in (*names, *links)}

    def search_path(self) -> str:
        """The tools as a value to put in front of PATH; also has Argo CD's helper scripts.

        Pulumi's providers are left out: Pulumi warns of those that it finds there.
        """
        programs = (path for name, path in self.paths().items() if not name.startswith(PROVIDER))
        return os.pathsep.join(dict.fromkeys(str(path.parent) for path in programs))

    def module_dir(self, module: str) -> Path:
        """The kept part of an upstream Go module, such as Argo CD's `manifests/`.

        Raises:
            KeyError: no tool keeps folders of that module.
            MissingToolError: the tool is not built.
        """
        for tool in TOOLS:
            if tool.module == module and tool.folders:
                return self.path(tool.name).parent.parent / "module"
        raise KeyError(module)


def resolve() -> dict[str, Path]:
    """Every program by name, with the default cache; raises MissingToolError."""
    return Toolchain().paths()
