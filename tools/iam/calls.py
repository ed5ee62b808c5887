"""The actions that the program was seen to call, by stack."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "docs" / "iam" / "calls.json"


def committed() -> Mapping[str, list[str]]:
    calls: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return calls


def of_record(lines: Iterable[str], role: str = "") -> list[str]:
    """The actions in a record of calls, one JSON object a line, sorted.

    role: the name of the role whose calls count; those of everybody unless given.
    """
    entries = [json.loads(line) for line in lines if line.strip()]
    return sorted(
        {
            entry.get("action") or f"{entry['service']}:{entry['operation']}"
            for entry in entries
            if f"assumed-role/{role}/" in f"{entry.get('caller') or ''}" or not role
        }
    )


def add(stack: str, actions: Iterable[str]) -> None:
    """Writes the actions of one stack beside those of the others."""
    calls = dict(committed()) if FILE.exists() else {}
    calls[stack] = sorted({*calls.get(stack, []), *actions})
    FILE.write_text(json.dumps(calls, indent=1, sort_keys=True) + "\n", encoding="utf-8")
