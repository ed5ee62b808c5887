"""The written reference and the schemas say what the models accept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
from click.testing import CliRunner

from tests.unit.conftest import CHECKOUT, Bend
from tools.reference import catalogue_schema, documents, stack_schema

SCHEMAS = {
    "services.yaml": "docs/services.schema.json",
    "Pulumi.dev.yaml": "docs/stack.schema.json",
    "Pulumi.prod.yaml": "docs/stack.schema.json",
}


def complaints(*arguments: Path | str) -> str:
    """What check-jsonschema says; empty where it is content."""
    done = CliRunner().invoke(check_jsonschema.main, list(map(str, arguments)))
    return done.output if done.exit_code else ""


def complaints_about(folder: Path, file: str) -> str:
    return complaints("--schemafile", CHECKOUT / SCHEMAS[file], folder / file)


@pytest.mark.parametrize("path", sorted(documents()))
def test_the_written_reference_is_what_the_models_say(path: str, regenerate: bool) -> None:
    file, text = CHECKOUT / path, documents()[path]
    if regenerate:
        file.write_text(text)
    assert file.read_text() == text


@pytest.mark.parametrize("schema", [catalogue_schema(), stack_schema()], ids=["services", "stack"])
def test_every_key_says_what_it_is(schema: dict[str, Any]) -> None:
    assert [path for path, key in keys(schema) if not key.get("description")] == []


def keys(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property in a schema, with its path."""
    if isinstance(schema, dict):
        for name, key in schema.get("properties", {}).items():
            if name not in ("config", "secure"):
                yield f"{path}/{name}", key
        for name, inner in schema.items():
            yield from keys(inner, f"{path}/{name}")


def test_the_schemas_are_schemas() -> None:
    assert complaints("--check-metaschema", *(CHECKOUT / path for path in SCHEMAS.values())) == ""


@pytest.mark.parametrize("file", SCHEMAS)
def test_the_committed_files_fit_their_schema_and_name_it(file: str) -> None:
    assert complaints_about(CHECKOUT, file) == ""
    first, *_ = (CHECKOUT / file).read_text().splitlines()
    assert first == f"# yaml-language-server: $schema={SCHEMAS[file]}"


IN_A_SERVICE = ("namespaces", "streaming", "services", "tv-api")


@pytest.mark.parametrize(
    ("file", "where", "entry"),
    [
        ("services.yaml", IN_A_SERVICE, ("delivry", "keel")),
        ("services.yaml", IN_A_SERVICE, ("port", 80)),
        ("services.yaml", IN_A_SERVICE, ("env", None)),
        ("services.yaml", IN_A_SERVICE, ("resources", None)),
        ("services.yaml", ("namespaces",), ("Shop", {"services": {}})),
        ("Pulumi.prod.yaml", (), ("platform:speeed", "safe")),
        ("Pulumi.prod.yaml", (), ("platform:speed", "warp")),
        ("Pulumi.prod.yaml", (), ("platform:slackToken", "in the open")),
        ("Pulumi.prod.yaml", ("platform:cluster",), ("version", "latest")),
    ],
)
def test_an_editor_marks_what_the_program_would_refuse(
    configuration: Path, bend: Bend, file: str, where: tuple[str, ...], entry: tuple[str, object]
) -> None:
    key, value = entry

    def spoil(content: dict[str, Any]) -> None:
        for step in where:
            content = content[step]
        content[key] = value

    bend(file, spoil)
    assert key in complaints_about(configuration, file)


def test_an_editor_leaves_the_keys_of_other_providers_alone(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config.update({"kubernetes:namespace": "x"}))
    assert complaints_about(configuration, "Pulumi.dev.yaml") == ""


def test_keys_that_two_sections_have_in_common_are_described_once() -> None:
    text = documents()["docs/reference.md"]
    place = "namespaces.<name>.services.<name>"
    assert (
        "| `replicas`, `resources`, `scale` "
        f"| as in [`{place}.overrides.<name>`](#namespacesnameservicesnameoverridesname) |  |  |\n"
    ) in text
    assert text.count("such as 250m or 1") == 1
    assert text.count("| `packaging` | `kustomize` or `helm` | `kustomize` |") == 1
