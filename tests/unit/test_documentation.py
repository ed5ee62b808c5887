"""What the documentation shows exists, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings.loading import load_files
from tests.unit.conftest import CHECKOUT
from tools.reference import anchor

PAGES = [*sorted(CHECKOUT.glob("*.md")), *sorted((CHECKOUT / "docs").rglob("*.md"))]
README = (CHECKOUT / "README.md").read_text()
SCRIPTS = CHECKOUT / "gitops" / "templates"


def ids(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = [
        link
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
        if "://" not in link and not leads_somewhere(page, link)
    ]
    assert lost == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, place = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists() or not place:
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
    return place in map(anchor, headings)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text)) - targets == set()
    scripts = set(re.findall(r"\bscripts/([\w/.-]+\.sh)\b", text))
    there = {path.name.removesuffix(".j2") for path in (SCRIPTS / "scripts").iterdir()}
    assert scripts - there == set()


def test_the_annotated_example_is_a_configuration(tmp_path: Path) -> None:
    stack, catalogue = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "Pulumi.dev.yaml").write_text(stack)
    (tmp_path / "services.yaml").write_text(catalogue)
    settings = load_files("dev", tmp_path)
    assert [name for _, name, _ in settings.catalogue.entries()] == ["leaderboard"]


def test_every_decision_is_listed_under_its_title() -> None:
    folder = CHECKOUT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()
    for decision in sorted(folder.glob("0*.md")):
        title = decision.read_text().partition("\n")[0].removeprefix("# ")
        assert f"- [{decision.name[:4]}]({decision.name}) {title}\n" in listed
