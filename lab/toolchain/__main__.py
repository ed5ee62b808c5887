"""The commands of the toolchain: `build`, `list`, `path` and `raise`."""

from __future__ import annotations

import argparse
import signal
import sys
from functools import partial
from typing import NoReturn

from lab.toolchain import MissingToolError, Toolchain
from lab.toolchain.build import build
from lab.toolchain.pruning import UnknownNamesError
from lab.toolchain.raising import raise_version
from lab.toolchain.tools import PROGRAMS, TOOLS
from settings.problems import UserError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lab.toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build_command = commands.add_parser("build", help="build the tools that are missing")
    names = [tool.name for tool in TOOLS]
    build_command.add_argument(
        "names", nargs="*", metavar="NAME", help=f"only these: {', '.join(names)}"
    )
    build_command.add_argument(
        "--keep-go-caches",
        action="store_true",
        help="keep Go's module and build caches, several GB, for the next version bump",
    )
    commands.add_parser("list", help="show each tool, its version and where it comes from")
    commands.add_parser("path", help="print the tools' folders, for PATH")
    raise_command = commands.add_parser("raise", help="pin another version of a tool")
    raise_command.add_argument("name", choices=names, metavar="NAME")
    raise_command.add_argument("version", metavar="VERSION", help="of its Go module: v3.23.0")
    options = parser.parse_args(arguments)
    if options.command == "path":
        return search_path(Toolchain())
    if options.command == "list":
        return show(Toolchain())
    if options.command == "raise":
        return pin(options.name, options.version)
    if unknown := sorted(set(options.names) - set(names)):
        parser.error(f"no such tool: {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = [tool for tool in TOOLS if not options.names or tool.name in options.names]
    signal.signal(signal.SIGTERM, _interrupt)
    toolchain, report = Toolchain(), partial(print, flush=True)
    try:
        build(toolchain, report, chosen, keep_go_caches=options.keep_go_caches)
    except (UserError, UnknownNamesError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; tools that are finished are kept, run again for the rest")
        return 130
    for tool in chosen:
        if tool.plugin and (found := toolchain.find(tool)) is not None:
            report(f"{tool.name} {found.version} runs from {found.origin}: {found.path}")
    return 0


def show(toolchain: Toolchain) -> int:
    """Print the tools as a table; returns 1 if one is missing, so that scripts can ask."""
    missing = 0
    for tool in PROGRAMS:
        found = toolchain.find(tool)
        if found is None:
            missing += 1
            print(f"{tool.name:27} {getattr(tool, 'release', '-'):14} missing")
        else:
            print(f"{tool.name:27} {found.version:14} {found.origin:6} {found.path}")
    return 1 if missing else 0


def pin(name: str, version: str) -> int:
    """Raise the tool's version; returns 1, and says why, if Go refuses it."""
    tool = next(tool for tool in TOOLS if tool.name == name)
    try:
        raise_version(tool, version, Toolchain().path("go"))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{name} is pinned to {version}; next: python -m lab.toolchain build --keep-go-caches")
    return 0


def search_path(toolchain: Toolchain) -> int:
    """Print the value to put in front of PATH; returns 1 if a tool is missing."""
    try:
        print(toolchain.search_path())
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
