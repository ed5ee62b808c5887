"""The map of docs/map.md is the code: rooms import what its table allows, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from settings.files import ROOT

CHECKOUT = ROOT
PRODUCT = ("__main__.py", "components", "gitops", "release", "settings", "tools")
FOREIGN = {"lab", "bench", "tests"}
TOP = {"__main__", "components", "gitops", "release", "settings", "tools", *FOREIGN}


def allowed() -> dict[str, set[str]]:
    """The table of the map: each room with the rooms that it may import."""
    text = (CHECKOUT / "docs/map.md").read_text(encoding="utf-8")
    table = text.partition("## What may import what")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)` \|(.*)\|$", table, flags=re.MULTILINE)
    return {room: set(re.findall(r"`([\w/*]+)`", names)) for room, names in rows}


def room(module: str) -> str:
    """`components.argocd.values` belongs to the room `components/argocd`."""
    first, *rest = module.split(".")
    return f"components/{rest[0]}" if first == "components" and rest else first


def modules() -> dict[str, Path]:
    """Every module of the product, by its dotted name."""
    found = {}
    for place in PRODUCT:
        path = CHECKOUT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if "templates" not in file.parts:
                found[".".join(file.relative_to(CHECKOUT).with_suffix("").parts)] = file
    return found


def imports(file: Path) -> Iterator[str]:
    """The dotted names of the project that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative imports hide the arrow"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def arrows() -> set[tuple[str, str]]:
    return {
        (room(module), room(name))
        for module, file in modules().items()
        for name in imports(file)
        if name.partition(".")[0] in TOP and room(name) != room(module)
    }


@pytest.mark.parametrize(("source", "target"), sorted(arrows()))
def test_a_room_imports_only_what_the_map_allows(source: str, target: str) -> None:
    rooms = allowed()
    assert source in rooms, f"{source} is not on the map: docs/map.md"
    wildcard = {"components/*"} if target.startswith("components/") else set()
    assert rooms[source] & ({target} | wildcard), f"{source} may not import {target}: docs/map.md"


def test_every_room_of_the_map_exists() -> None:
    existing = {room(module) for module in modules()}
    assert existing - {"components/__init__"} == set(allowed())


def test_everything_that_the_map_leads_to_exists() -> None:
    text = (CHECKOUT / "docs/map.md").read_text(encoding="utf-8")
    tables = text.partition("## What each folder has")[2].partition("\n## Glossary")[0]
    paths = set(re.findall(r"`([\w.]+/[\w./]*)`", tables))
    cells = re.findall(r"^\|.*\|(.*)\|$", tables.partition("## I want to")[2], re.MULTILINE)
    tests = set(re.findall(r"`(\w+)`", " ".join(cells)))
    paths |= {f"tests/unit/test_{name}.py" for name in tests}
    assert len(tests) > 10
    assert [path for path in sorted(paths) if not (CHECKOUT / path).exists()] == []


def test_the_map_allows_nothing_that_no_code_needs() -> None:
    listed = {(source, target) for source, targets in allowed().items() for target in targets}
    assert {arrow for arrow in listed if "*" not in arrow[1]} <= arrows()


def reachable(start: str, after: Mapping[str, set[str]]) -> set[str]:
    """Where the arrows lead from there, in any number of steps."""
    open_, seen = [start], set[str]()
    while open_:
        for target in after.get(open_.pop(), set()) - seen:
            seen.add(target)
            open_.append(target)
    return seen


def test_no_arrow_leads_back() -> None:
    after: dict[str, set[str]] = {}
    for source, target in arrows():
        after.setdefault(source, set()).add(target)

    assert [source for source in after if source in reachable(source, after)] == []


def test_nothing_but_the_lab_imports_the_lab() -> None:
    """The product's own tests run in a checkout without it."""
    theirs = {
        str(file.relative_to(CHECKOUT)): name
        for folder in ("tests", "bench")
        for file in sorted((CHECKOUT / folder).rglob("*.py"))
        if "golden" not in file.parts
        for name in imports(file)
        if name.partition(".")[0] == "lab"
    }
    assert theirs == {}


def test_components_never_read_the_settings_as_a_whole() -> None:
    readers = {
        module
        for module, file in modules().items()
        if module.startswith("components.") and module != "components.wiring"
        for name in imports(file)
        if name == "settings.environment.Settings" or name.startswith("settings.pulumi_config")
    }
    assert readers == set()


def test_the_provider_of_the_checkout_loads_no_models() -> None:
    """A preview starts it as a process of its own, and loading the models took most of its time."""
    there = modules()
    after = {
        module: {
            known
            for name in imports(file)
            for known in (name, name.rpartition(".")[0])
            if known in there
        }
        for module, file in there.items()
    }
    loaded = reachable("components.gitops_checkout.provider", after)
    assert "gitops.checkout" in loaded
    assert "settings.model" not in loaded


def test_pulumis_configuration_is_read_in_one_module() -> None:
    readers = [
        module
        for module, file in modules().items()
        if re.search(r"pulumi\.(Config\(|runtime\.config)", file.read_text(encoding="utf-8"))
    ]
    assert readers == ["settings.pulumi_config"]


@pytest.mark.parametrize(
    ("beginning", "home"), [("arn:", "settings.aws_account"), ("Pulumi.", "settings.files")]
)
def test_what_is_composed_in_one_place_is_composed_nowhere_else(beginning: str, home: str) -> None:
    composing = {
        module
        for module, file in modules().items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        and isinstance(node.values[0], ast.Constant)
        and str(node.values[0].value).startswith(beginning)
    }
    assert composing == {home}


def test_the_release_package_needs_nothing_but_python() -> None:
    """It is copied into another repository, where nothing is installed for it."""
    needed = {
        name.partition(".")[0]
        for module, file in modules().items()
        if room(module) == "release"
        for name in imports(file)
    }
    assert needed - sys.stdlib_module_names == {"release"}
