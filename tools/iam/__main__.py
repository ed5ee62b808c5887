"""`python -m tools.iam`: writes docs/iam/ anew from docs/iam/calls.json.

`python -m tools.iam --record FILE` first adds the actions of a record of calls, such as the lab
keeps in .lab/aws/calls.jsonl.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from settings.files import ROOT, stack_files
from settings.loading import load_files
from tools.iam import boundary, calls, documents

FOLDER = calls.FILE.parent


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file of docs/iam/ and its text.

    A stack of which no calls are known gets the actions of all that are.
    """
    known = calls.committed()
    everything = {action for actions in known.values() for action in actions}
    for stack in stack_files(ROOT):
        settings = load_files(stack, ROOT)
        actions = known.get(stack, everything)
        for number, document in enumerate(documents(settings, actions), start=1):
            yield FOLDER / f"{stack}-{number}.json", _text(document)
        yield FOLDER / f"{stack}-boundary.json", _text(boundary(settings))


def _text(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.iam", description=__doc__)
    parser.add_argument("--record", type=Path, action="append", default=[], metavar="FILE")
    options = parser.parse_args()
    for record in options.record:
        lines = record.read_text(encoding="utf-8").splitlines()
        for stack in calls.committed():
            calls.add(stack, calls.of_record(lines, stack))
    wanted = dict(files())
    for old in FOLDER.glob("*-*.json"):
        if old not in wanted:
            old.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
