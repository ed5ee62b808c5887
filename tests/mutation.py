"""Mutation tests: mutmut changes the program in small ways, and the unit tests should fail.

    python -m tests.mutation                    the whole of settings/, components/ and gitops/
    python -m tests.mutation settings.ranges    one module, or several
    python -m tests.mutation --changed          some of the functions that a change touches

It prints what no test noticed, and each module's score: the share of mutants that were noticed.
With `--changed` it fails where the score is below REQUIRED. `mutmut show NAME` shows a mutant.

mutmut works in `mutants/`, which is safe to delete. It leaves alone what it cannot switch on and
off while the program runs: tables of a module, fields of a class, and decorated functions.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
MUTATED = ("settings", "components", "gitops")
FUNCTIONS = 8
"""How many of the touched functions are tried: always the same for the same change."""
REQUIRED = 75
"""The least score, in percent, of what a change touches."""
NOTICED = ("killed", "timeout", "segfault", "caught by type check")


def main(arguments: list[str] | None = None) -> int:
    """Run one of the three; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--changed", action="store_true", help="what differs from the branch main")
    options = parser.parse_args(arguments)
    if options.changed:
        return _sample()
    patterns = [f"{module}.*" for module in options.modules]
    if problem := _mutmut("run", *patterns):
        print(problem, file=sys.stderr)
        return 1
    results = _results()
    wanted = tuple(f"{module}." for module in options.modules) or ("",)
    report({name: status for name, status in results.items() if name.startswith(wanted)})
    return 0


def _sample() -> int:
    diff = _git("diff", "--unified=0", _base(), "--", *MUTATED)
    found = sorted(touched(diff, CHECKOUT), key=lambda name: hashlib.sha256(name.encode()).digest())
    chosen = found[:FUNCTIONS]
    if not chosen:
        print("no function of the program changed")
        return 0
    print(f"mutating {len(chosen)} of {len(found)} changed functions: {', '.join(sorted(chosen))}")
    # The name itself has to match too: mutmut first runs the tests of the functions that do.
    problem = _mutmut("run", *(f"{name}*" for name in chosen))
    if problem and "nothing matches" not in problem:
        print(problem, file=sys.stderr)
        return 1
    results = _results()
    score = report({n: s for n, s in results.items() if n.rpartition("__mutmut_")[0] in chosen})
    if score < REQUIRED:
        print(f"{score} % of the mutants were noticed, {REQUIRED} % are required: write a test")
        return 1
    return 0


def touched(diff: str, root: Path) -> set[str]:
    """The functions, as mutmut names them, in which a line differs.

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
            tree = ast.parse((root / path).read_text(encoding="utf-8"))
            module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            names |= {
                f"{module}.{name}"
                for name, begin, end in _functions(tree)
                if begin <= last and first <= end
            }
    return names


def _functions(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Each function that mutmut can mutate: its name there, its first and its last line."""
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in inner:
            if isinstance(function, ast.FunctionDef) and not function.decorator_list:
                name = f"xǁ{node.name}ǁ" if isinstance(node, ast.ClassDef) else "x_"
                yield name + function.name, function.lineno, function.end_lineno or function.lineno


def report(results: dict[str, str]) -> int:
    """Print what nobody noticed and each module's score; returns the score of all, in percent."""
    by_module = defaultdict[str, list[bool]](list)
    for name, status in sorted(results.items()):
        by_module[name.rpartition(".")[0]].append(status in NOTICED)
        if status not in NOTICED:
            print(f"  {status}: {name}")
    for module, noticed in by_module.items():
        print(f"{_score(noticed):4} % of {len(noticed):4} mutants noticed in {module}")
    everything = [noticed for module in by_module.values() for noticed in module]
    print(f"{_score(everything):4} % of {len(everything):4} mutants noticed")
    return _score(everything)


def _score(noticed: Iterable[bool]) -> int:
    each = list(noticed)
    return 100 * sum(each) // len(each) if each else 100


def _results() -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", "results", "--all", "true"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    pairs = (line.strip().rpartition(": ") for line in done.stdout.splitlines())
    return {name: status for name, _, status in pairs if status != "not checked"}


def _mutmut(*arguments: str) -> str:
    """Run mutmut; returns what it said where it failed, else nothing."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    return (done.stdout.rpartition("\r")[2] + done.stderr) if done.returncode else ""


def _base() -> str:
    """The commit that the change begins at: where it left main, or the one before."""
    for branch in ("origin/main", "main"):
        try:
            base = _git("merge-base", branch, "HEAD").strip()
        except subprocess.CalledProcessError:
            continue
        if base != _git("rev-parse", "HEAD").strip():
            return base
    return "HEAD~1"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(CHECKOUT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
