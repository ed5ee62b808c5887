"""`python -m tools.costs PREVIEW…`: what the environments of some previews cost in a month."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from settings.problems import UserError
from tools.costs import prices
from tools.costs.parts import checked
from tools.costs.preview import read
from tools.costs.table import table


def main(arguments: list[str]) -> int:
    """Print the table, or what is wrong with the files."""
    parser = argparse.ArgumentParser(prog="python -m tools.costs", description=__doc__)
    parser.add_argument(
        "previews",
        nargs="+",
        type=Path,
        metavar="PREVIEW",
        help="a file written by `pulumi preview --json --show-sames`",
    )
    given = parser.parse_args(arguments)
    listed = prices.committed()
    try:
        environments = dict(read(path) for path in given.previews)
        print(table(dict(checked(environments, listed)), listed), end="")
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
