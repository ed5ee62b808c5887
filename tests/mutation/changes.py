"""What a change touches: the functions of the program that differ from where the change began."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.mutation.mutants import CHECKOUT, MUTATED, functions

Git = Callable[..., str]
"""Runs Git with these arguments and returns what it prints."""

_PLAIN = ("--no-ext-diff", "--no-color", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/")
"""Whatever the user's configuration of Git says."""


class NoBaseError(Exception):
    """There is nothing to compare with; the message says why."""


def git(*arguments: str) -> str:
    """Run Git in the checkout.

    Raises:
        NoBaseError: it fails, or there is no Git.
    """
    command = ["git", "-C", str(CHECKOUT), *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoBaseError(f"{' '.join(command[3:])}: {error}") from error


def changed_functions(run: Git = git, root: Path = CHECKOUT) -> set[str]:
    """The functions, as `module.name`, that differ from the base, committed or not.

    Raises:
        NoBaseError: Git knows no base.
    """
    return touched(run("diff", "--unified=0", *_PLAIN, base(run), "--", *MUTATED), root)


def base(run: Git) -> str:
    """The commit where the change begins: where it left main, or on main the one before.

    Raises:
        NoBaseError: there is none, as in a shallow clone.
    """
    head = run("rev-parse", "HEAD").strip()
    for branch in ("origin/main", "main"):
        try:
            found = run("merge-base", branch, "HEAD").strip()
        except NoBaseError:
            continue
        if found != head:
            return found
    return run("rev-parse", "--verify", "HEAD~1").strip()


def touched(diff: str, root: Path) -> set[str]:
    """The functions, as `module.name`, in which a line differs.

    Args:
        diff: what `git diff --unified=0` says.
        root: the folder of the files as they are now.
    """
    names, path = set[str](), ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/")
        elif path.endswith(".py") and (hunk := re.match(r"@@ \S+ \+(\d+)(?:,(\d+))? @@", line)):
            first = int(hunk[1])
            last = first + int(hunk[2] or 1) - 1
            module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            names |= {
                f"{module}.{name}"
                for name, node in functions(ast.parse((root / path).read_text(encoding="utf-8")))
                if _first_line(node) <= last and first <= (node.end_lineno or 0)
            }
    return names


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
