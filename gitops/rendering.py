"""Jinja2 as the templates use it: `[[ value ]]`, `[% block %]`, `[# comment #]`.

The brackets leave Helm's, GitHub's and CircleCI's braces alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gitops.go_yaml import go_yaml, is_other_in_go

TEMPLATES = Path(__file__).with_name("templates")
_SUFFIX = ".j2"


def render_folder(folder: str, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path below `folder` and text of every file that its templates give in `context`.

    A template that renders to white space gives no file; partials (`_name`) never do.
    """
    for name in _templates(folder):
        text = _jinja().get_template(f"{folder}/{name}").render(context)
        if text.strip():
            yield name.removesuffix(_SUFFIX), text


def render(name: str, context: Mapping[str, Any]) -> str:
    """The text of one template."""
    return _jinja().get_template(f"{name}{_SUFFIX}").render(context)


@cache
def _templates(folder: str) -> tuple[str, ...]:
    root = TEMPLATES / folder
    found = (path.relative_to(root) for path in root.rglob(f"*{_SUFFIX}"))
    return tuple(
        sorted(path.as_posix() for path in found if not any(p[0] == "_" for p in path.parts))
    )


@cache
def _jinja() -> Environment:
    jinja = Environment(  # noqa: S701 - these are manifests and scripts, not HTML
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )
    jinja.filters["quoted"] = _quoted
    jinja.filters["flow"] = _flow
    jinja.filters["json"] = json.dumps
    jinja.filters["key"] = _key
    jinja.filters["yaml"] = _yaml
    jinja.filters["link"] = _link
    return jinja


def _quoted(value: str) -> str:
    """`value` as a double-quoted YAML string on one line, whatever is in it."""
    text: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf"))
    return text.rstrip("\n")


def _flow(words: Sequence[str]) -> str:
    """A list of texts on one line."""
    return f"[{', '.join(map(_quoted, words))}]"


def _key(name: str) -> str:
    """A name as a key or a value, in quotes where YAML would take it for something else."""
    return name if yaml.safe_load(name) == name and not is_other_in_go(name) else _quoted(name)


def _yaml(content: Mapping[str, Any]) -> str:
    """A mapping, a key a line, without an end of line."""
    return go_yaml(content).rstrip("\n")


def _link(text: str, target: str) -> str:
    """A Markdown link."""
    return f"[{text}]({target})"
