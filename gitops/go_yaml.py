"""YAML that kustomize, Helm, Argo CD and Dex read as it was meant. Pure."""

from __future__ import annotations

import re

import yaml

_NUMBER = re.compile(
    r"[-+]?(0o[0-7]+|0x[0-9a-f]+|0b[01]+|(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?)", re.IGNORECASE
)
_TRUTHS = ("y", "Y", "n", "N")


def is_other_in_go(text: str) -> bool:
    """Whether Go's parsers may take the bare text for a number or a truth, and PyYAML does not."""
    return text in _TRUTHS or bool(_NUMBER.fullmatch(text.replace("_", "")))


class _Dumper(yaml.SafeDumper):
    """Writes such texts in quotes, and texts of several lines as blocks."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = '"' if is_other_in_go(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def go_yaml(value: object, *, one_line: bool = False) -> str:
    """`value` as YAML; with `one_line` a list or mapping stays on one, if it is short.

    No text is broken into lines that it does not have.
    """
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=one_line,
        allow_unicode=True,
        width=float("inf"),
    )
    return text
