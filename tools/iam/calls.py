"""The actions that the program was seen to call, by stack."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from settings.files import ROOT

FILE = ROOT / "docs" / "iam" / "calls.json"


def committed() -> Mapping[str, list[str]]:
    calls: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return calls


def of_record(lines: Iterable[str], stack: str) -> list[str]:
    """The actions in a record of calls that `pulumi` made for `stack`, sorted.

    lines: one JSON object each, with `stack` and `actions` (see lab/aws_api/record.py). The first
    of the actions is the call itself; beside.py has those that come with it.
    """
    entries = [json.loads(line) for line in lines if line.strip()]
    made = [entry for entry in entries if entry.get("stack") == stack]
    return sorted({action for entry in made for action in entry["actions"][:1]})


def add(stack: str, actions: Iterable[str]) -> None:
    """Writes the actions of one stack beside those of the others."""
    calls = dict(committed()) if FILE.exists() else {}
    calls[stack] = sorted({*calls.get(stack, []), *actions})
    FILE.write_text(json.dumps(calls, indent=1, sort_keys=True) + "\n", encoding="utf-8")
