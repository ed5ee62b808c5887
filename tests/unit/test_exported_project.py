"""What `pulumi new` makes of an archive of this repository: a project of a team's own, no more."""

from __future__ import annotations

import ast
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings.loading import load_files
from tests.exported import CHECKOUT, export


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the archive, in a folder."""
    folder = tmp_path_factory.mktemp("archive")
    export(folder / "project.tar")
    with tarfile.open(folder / "project.tar") as archive:
        archive.extractall(folder / "project", filter="data")
    return folder / "project"


def test_every_file_at_the_top_belongs_to_a_team_or_is_left_out(project: Path) -> None:
    assert sorted(path.name for path in project.iterdir()) == [
        ".gitignore",
        "LICENSE",
        "Pulumi.dev.yaml",
        "Pulumi.prod.yaml",
        "Pulumi.yaml",
        "__main__.py",
        "components",
        "docs",
        "gitops",
        "release",
        "requirements.txt",
        "services.yaml",
        "settings",
        "tools",
    ], "a new file: list it here, or in .gitattributes"


def test_the_program_needs_nothing_that_is_left_out(project: Path) -> None:
    there = {path.stem for path in project.iterdir()}
    left_out = {path.stem for path in CHECKOUT.iterdir()} - there
    assert {"lab", "tests"} <= left_out
    needed = {
        f"{path.relative_to(project)}: {module}"
        for path in project.rglob("*.py")
        for module in imported(path)
        if module.partition(".")[0] in left_out
    }
    assert needed == set()


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_its_pages_link_to_nothing_that_is_left_out(project: Path) -> None:
    lost = {
        f"{page.relative_to(project)}: {link}"
        for page in project.rglob("*.md")
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link.partition("#")[0]).exists()
    }
    assert lost == set()


def test_its_configuration_and_the_schemas_that_editors_use_are_there(project: Path) -> None:
    assert load_files("prod", project).environment.name == "prod"
    schemas = {
        re.findall(r"\$schema=(\S+)", (project / file).read_text(encoding="utf-8"))[0]
        for file in ("services.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml")
    }
    assert schemas == {"docs/services.schema.json", "docs/stack.schema.json"}
    assert all((project / schema).is_file() for schema in schemas)
