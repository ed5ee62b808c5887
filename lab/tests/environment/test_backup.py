"""A lost state comes back from its export, and nothing in AWS or the clusters notices."""

from __future__ import annotations

import json
from pathlib import Path

from lab.tests.environment.conftest import Lab


def urns(exported: str) -> list[str]:
    """The resources in an export, in its order."""
    return [one["urn"] for one in json.loads(exported)["deployment"]["resources"]]


def test_a_state_that_is_lost_comes_back_from_its_export(lab: Lab, tmp_path: Path) -> None:
    program, saved = lab.program, tmp_path / "prod.json"
    program.selected("prod")
    exported = program.read("stack", "export", stack="prod")
    saved.write_text(exported)

    words = ("stack", "rm", "--force", "--yes", "--preserve-config")
    program.read(*words, stack="prod", folder=lab.site.home)
    try:
        assert program.run("stack", "export", stack="prod").returncode, "the state is still there"
        program.selected("prod")
        assert program.changes("prod")["create"] > 20, "an empty state creates everything"
    finally:
        program.selected("prod")
        program.read("stack", "import", "--file", str(saved), stack="prod")

    # Secrets are encrypted anew, so the text differs.
    assert urns(program.read("stack", "export", stack="prod")) == urns(exported)
    assert program.changes("prod") == {}
