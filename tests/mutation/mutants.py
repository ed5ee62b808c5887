"""Mutants: one function of the program with one small change, which mutmut's operators make."""

from __future__ import annotations

import ast
import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

CHECKOUT = Path(__file__).resolve().parents[2]
MUTATED = ("settings", "components", "gitops")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One changed function."""

    module: str
    """As it is imported, such as `settings.ranges`."""
    function: str
    """Its name in the module, such as `Rules.check`."""
    line: int
    change: str
    """The lines that differ: as they are, an arrow, and as they are in the mutant."""
    lines: range
    """The lines of the changed statement: only a test that runs one of them can notice."""
    around: range
    """The lines of the function."""
    source: str
    """The whole module with the change."""

    @property
    def short(self) -> str:
        """Which one it is of its module."""
        return f"{self.function}: {self.change}"

    def __str__(self) -> str:
        return f"{self.module}.{self.short}"

    def apply(self) -> None:
        """Change the function in this process, wherever it was imported to."""
        tree = ast.parse(self.source)
        function = _live(importlib.import_module(self.module), self.function)
        function.__code__ = _code(
            compile(tree, function.__code__.co_filename, "exec"), self.function
        )
        arguments = next(node for name, node in functions(tree) if name == self.function).args
        space = vars(importlib.import_module(self.module))
        function.__defaults__ = tuple(_value(node, space) for node in arguments.defaults) or None
        function.__kwdefaults__ = {
            argument.arg: _value(node, space)
            for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if node
        }
        _forget()


def _forget() -> None:
    """Clear what functions of the program keep: the change may be in what they have called."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in MUTATED:
            for value in vars(module).values():
                if callable(clear := getattr(value, "cache_clear", None)):
                    clear()


def modules() -> list[str]:
    """Every module that is mutated, sorted by its name."""
    return sorted(
        ".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
        for folder in MUTATED
        for file in (CHECKOUT / folder).rglob("*.py")
        if "templates" not in file.parts
    )


def path_of(module: str) -> Path:
    """The file of a module that `modules` names."""
    path = CHECKOUT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def mutants(module: str, code: str) -> list[Mutant]:
    """Every mutant of a module's functions, in the order of the file.

    Args:
        module: as it is imported.
        code: its text.
    """
    tree = ast.parse(code)
    # mutmut leaves decorated functions alone, because it replaces functions and we do not.
    wrapper = MetadataWrapper(libcst.parse_module(_without_decorators(code, tree)))
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    found = list[Mutant]()
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if not isinstance(function, libcst.FunctionDef):
            continue
        if _redundant(mutation.original_node, mutation.mutated_node):
            continue
        span = positions[mutation.original_node]
        name, node = _around(tree, span.start.line)
        text = _text(mutation.original_node, mutation.mutated_node)
        source, change = _spliced(code, span, text)
        if source == code:
            continue
        found.append(
            Mutant(
                module=module,
                function=name,
                line=span.start.line,
                change=change,
                lines=_statement(node, span.start.line),
                around=range(node.lineno, (node.end_lineno or 0) + 1),
                source=source,
            )
        )
    return _numbered(sorted(found, key=lambda mutant: (mutant.line, mutant.change)))


def functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Each function of a module and each method of its classes, by name."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from (
                (f"{node.name}.{inner.name}", inner)
                for inner in node.body
                if isinstance(inner, Function)
            )


def _redundant(node: libcst.CSTNode, changed: libcst.CSTNode) -> bool:
    """Whether another mutant says as much: one for each text and each argument is enough."""
    if isinstance(node, libcst.SimpleString) and isinstance(changed, libcst.SimpleString):
        return not changed.raw_value.startswith("XX")
    if isinstance(node, libcst.Call) and isinstance(changed, libcst.Call) and node.args:
        pairs = zip(node.args, changed.args, strict=False)
        argument = next((old for old, new in pairs if old is not new), node.args[-1])
        if isinstance(argument.value, libcst.SimpleString):
            return True
        removed = len(changed.args) < len(node.args)
        # A removed name has its default; without a positional argument, a call merely fails.
        return len(node.args) > 1 and removed != bool(argument.keyword)
    return False


def _without_decorators(code: str, tree: ast.Module) -> str:
    lines = code.splitlines(keepends=True)
    for _, function in functions(tree):
        for decorator in function.decorator_list:
            for number in range(decorator.lineno - 1, decorator.end_lineno or 0):
                lines[number] = "\n"
    return "".join(lines)


def _around(tree: ast.Module, line: int) -> tuple[str, Function]:
    return next(
        (name, node)
        for name, node in functions(tree)
        if node.lineno <= line <= (node.end_lineno or 0)
    )


def _statement(function: Function, line: int) -> range:
    """The lines of the innermost statement at `line`; of an `if` or a loop, those of its head."""
    within = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    statement = max(within, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    body: list[ast.stmt] = getattr(statement, "body", [])
    if statement is function or (body and body[0].lineno > line):
        # Any line of a function runs once its head has.
        last = (function.end_lineno or 0) + 1 if statement is function else body[0].lineno
        return range(statement.lineno, last)
    return range(statement.lineno, (statement.end_lineno or 0) + 1)


def _text(node: libcst.CSTNode, changed: libcst.CSTNode) -> str:
    """What stands at the place of `node`, which is within its parentheses."""
    if getattr(node, "lpar", ()) and getattr(changed, "lpar", ()) == getattr(node, "lpar", ()):
        changed = changed.with_changes(lpar=(), rpar=())
    return libcst.Module([]).code_for_node(changed)


def _spliced(code: str, span: Any, text: str) -> tuple[str, str]:
    """The module with `text` at the span, and the lines that this changes."""
    lines = code.splitlines(keepends=True)
    first, last = span.start.line - 1, span.end.line
    old = lines[first:last]
    new = old[0][: span.start.column] + text + old[-1][span.end.column :]
    source = "".join([*lines[:first], new, *lines[last:]])
    return source, _difference(old, new.splitlines(keepends=True))


def _difference(before: list[str], after: list[str]) -> str:
    old, new = [line.strip() for line in before], [line.strip() for line in after]
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return f"{' '.join(old)} → {' '.join(new)}".strip()


def _numbered(found: list[Mutant]) -> list[Mutant]:
    """The same mutants, with a number where one function has the same change twice."""
    seen = Counter[str]()
    numbered = []
    for mutant in found:
        seen[str(mutant)] += 1
        count = seen[str(mutant)]
        change = mutant.change if count == 1 else f"{mutant.change} ({count})"
        numbered.append(replace(mutant, change=change))
    return numbered


def _live(module: Any, name: str) -> FunctionType:
    """The function that runs, out of what its decorators made of it."""
    owner, _, own = name.rpartition(".")
    found: Any = vars(getattr(module, owner) if owner else module)[own]
    while not isinstance(found, FunctionType) or hasattr(found, "__wrapped__"):
        found = next(
            getattr(found, inside)
            for inside in ("__wrapped__", "__func__", "fget", "func", "wrapped")
            if getattr(found, inside, None)
        )
    return found


def _code(module: CodeType, name: str) -> CodeType:
    return next(code for code in _codes(module) if code.co_qualname == name)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _value(node: ast.expr, space: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "default", "eval"), space)  # noqa: S307 -- our own
