# Managed: generated, so change services.yaml or the stack files instead.
"""The history as a table, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from release.deployed import short_version
from release.history import Event
from release.terminal import Terminal

_TITLES = ("WHEN (UTC)", "ENV", "SERVICE", "VERSION", "BEFORE", "KIND", "BY", "SUBJECT")
_LEAST = (16, 3, 0, 17, 17, 4, 0, 0)


def as_table(events: Sequence[Event], terminal: Terminal) -> list[str]:
    """A line for each event, under a line of titles."""
    if not events:
        return ["nothing was released yet"]
    rows = [_row(event) for event in events]
    widths = [max([least, *(len(row[n]) for row in rows)]) for n, least in enumerate(_LEAST)]
    title = "  ".join(f"{cell:<{width}}" for cell, width in zip(_TITLES, widths)).rstrip()
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)) for row in rows]
    return [terminal.bold(title), *(line.rstrip() for line in lines)]


def _row(event: Event) -> tuple[str, ...]:
    marks = [event.kind]
    if event.hotfix:
        marks.append("hotfix")
    if event.untested:
        marks.append("untested")
    if event.unverified:
        marks.append("unverified")
    if event.accepted:
        marks.append("findings accepted")
    who = _name(event.by)
    if event.is_forgeable:
        who += f" (committed by {_name(event.committer)})"
    return (
        re.sub(r":\d\dZ$", "", event.time.replace("T", " ")),
        event.place.environment,
        event.place.service,
        short_version(event.now),
        short_version(event.before),
        ", ".join(marks),
        who,
        event.subject,
    )


def _name(who: str) -> str:
    return re.sub(r" ?<.*", "", who) or who


def as_json(events: Sequence[Event]) -> str:
    """An array with an object a line; always UTF-8 in pure ASCII escapes where need be."""
    lines = [json.dumps(_object(event), ensure_ascii=False) for event in events]
    return "[\n  " + ",\n  ".join(lines) + "\n]\n" if lines else "[]\n"


def _object(event: Event) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "time": event.time,
        "environment": event.place.environment,
        "service": event.place.service,
        "version": event.now.tag or None,
        "previous": event.before.tag or None,
        "digest": event.now.digest or None,
        "kind": event.kind,
        "by": event.by,
        "untested": event.untested,
        "subject": event.subject,
        "commit": event.commit,
    }
    if event.is_forgeable:
        entry["committer"] = event.committer
    if event.hotfix:
        entry["hotfix"] = True
    if event.unverified:
        entry["unverified"] = True
    if event.accepted:
        entry["acceptedFindings"] = event.accepted
    return entry
