"""YAML that Argo CD and Dex read as it was meant. Pure."""

from __future__ import annotations

import re

import yaml

_OTHERWISE = re.compile(r"[yYnN]|[-+.]?\d.*")
"""Texts that need no quotes for PyYAML, and that Go's parsers may take for a number or a truth."""


class _Dumper(yaml.SafeDumper):
    """Writes such texts in quotes, and texts of several lines as blocks."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = '"' if _OTHERWISE.fullmatch(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def go_yaml(value: object, *, one_line: bool = False) -> str:
    """`value` as YAML; with `one_line` a list or mapping stays on one, if it is short."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=one_line)
