"""The YAML that the release scripts read: what they understand they read as YAML says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from release.subset_yaml import YamlError, load, load_all

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "gitops"


class TextLoader(yaml.SafeLoader):
    """YAML with every scalar as text."""


TextLoader.yaml_implicit_resolvers = {
    key: [pair for pair in pairs if pair[0] == "tag:yaml.org,2002:null"]
    for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a: b", {"a": "b"}),
        ("a:\n- b\n- c: d\n  e: f\n", {"a": ["b", {"c": "d", "e": "f"}]}),
        ("a:\n  - - b\n    - c\n", {"a": [["b", "c"]]}),
        ("a: [b, {c: d}, 'e, f']", {"a": ["b", {"c": "d"}, "e, f"]}),
        ("a: [b,\n  c] # three\n", {"a": ["b", "c"]}),
        ('a: [{name: x/y, digest: "sha256:0"}]', {"a": [{"name": "x/y", "digest": "sha256:0"}]}),
        ("a: 'it''s'\nb: \"x\\ty\\u00e9\"", {"a": "it's", "b": "x\tyé"}),
        ("a: |\n  x\n   y\n\n  z\nb: c", {"a": "x\n y\n\nz\n", "b": "c"}),
        ("a: >-\n  x\n  y\n", {"a": "x y"}),
        ("a: |+\n  x\n\nb: c", {"a": "x\n\n", "b": "c"}),
        ("a: &n b\nc: *n", {"a": "b", "c": "b"}),
        ("a: b # not part\n# nor this\nc: d#e", {"a": "b", "c": "d#e"}),
        ("a:\nb: ~\nc: null\nd: ''", {"a": None, "b": None, "c": None, "d": ""}),
        ("a: http://b:1/c\nd: e:f", {"a": "http://b:1/c", "d": "e:f"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("? x", YamlError),
        ("a: b\na: c", YamlError),
        ("a: b\n\tc: d", YamlError),
        ("<<<<<<< HEAD\na: b\n=======\na: c\n>>>>>>> x\n", YamlError),
        ("a: [b", YamlError),
        ('a: "b', YamlError),
        ("a: *nobody", YamlError),
        ('a: "\\x"', YamlError),
        ('a: "\\u12 "', YamlError),
        ('a: "\\UFFFFFFFF"', YamlError),
        ('a: ["\\xZZ"]', YamlError),
        ('"\\q": b', YamlError),
        ("a: b: c", YamlError),
        ("a: b\n  c: d", YamlError),
        ("<<: {a: b}", YamlError),
        ("--- a: b\n---\nc: d\n", YamlError),
    ],
)  # fmt: skip
def test_it_reads_what_yaml_says_or_nothing_at_all(text: str, meaning: Any) -> None:
    if meaning is YamlError:
        with pytest.raises(YamlError):
            load(text)
    else:
        assert load(text) == meaning == next(yaml.load_all(text, TextLoader))


def test_every_manifest_that_is_generated_is_read_as_yaml_reads_it() -> None:
    files = [p for p in GOLDEN.rglob("*.y*ml") if "/templates/" not in p.as_posix()]
    assert len(files) > 20
    for path in files:
        text = path.read_text(encoding="utf-8")
        wanted = [d for d in yaml.load_all(text, TextLoader) if d is not None]
        assert load_all(text) == wanted, path


def test_deep_nesting_is_an_error_and_not_the_end_of_python() -> None:
    with pytest.raises(YamlError, match="nested too deeply"):
        load("[" * 100_000)
