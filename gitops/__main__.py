"""`python -m gitops render`: the GitOps repository of a stack, without Pulumi and without AWS."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gitops import checkout, report
from gitops.tree import scaffold
from settings.files import ROOT
from settings.loading import load_files
from settings.problems import UserError

_OK, _DRIFT, _REFUSED = 0, 1, 2
_EXIT_CODES = "exit codes: 0 done or nothing to do, 1 --check found a difference, 2 refused"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        tree = scaffold(load_files(options.stack, options.root, options.config_file))
        plan = checkout.plan(options.out, tree)
        if not options.check:
            checkout.apply(options.out, plan)
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return _REFUSED
    if options.check:
        sys.stdout.writelines(report.diff(plan))
    for line in report.lines(plan):
        print(line, file=sys.stderr)
    return _DRIFT if options.check and (plan.writing or plan.drift) else _OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gitops", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    render = commands.add_parser(
        "render",
        help="write a stack's files into a folder, or compare them with it",
        description="Writes the files of a stack into a folder, and keeps what was edited there.",
        epilog=_EXIT_CODES,
    )
    render.add_argument("--stack", required=True, help="the stack, such as dev")
    render.add_argument(
        "--out", required=True, type=Path, help="the folder; created if it is missing"
    )
    render.add_argument(
        "--check", action="store_true", help="write nothing, show the difference, exit 1 if any"
    )
    render.add_argument("--config-file", type=Path, help="in place of Pulumi.<stack>.yaml")
    render.add_argument(
        "--root", type=Path, default=ROOT, help="where services.yaml and the stack files are"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
