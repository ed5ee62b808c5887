"""`python -m settings new-service`: a new entry of `services.yaml`, written and checked."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from settings.files import CATALOGUE_FILE, ROOT, stack_files
from settings.loading import load_files
from settings.new_service import Answers, added
from settings.problems import UserError

_DONE, _REFUSED = 0, 2
_FLAGS = {
    "namespace": "the namespace; a new one is made",
    "owner": "a key of teams",
    "source": "its repository on GitHub, owner/name",
    "ci": "github-actions or circleci",
    "delivery": "keel (every build at once) or commit (CI commits the version)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        answers = _answers(options)
        _check(options.root)
        path = options.root / CATALOGUE_FILE
        text = added(path.read_text(encoding="utf-8"), answers)
        _check_with(text, options.root)
        path.write_text(text, encoding="utf-8")
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return _REFUSED
    print(_next(options.root, answers))
    return _DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m settings", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    new = commands.add_parser(
        "new-service",
        help="add a service to services.yaml",
        description="Adds a service to services.yaml, unless something is wrong with it. Asks for "
        "what is not said, where somebody can answer.",
    )
    new.add_argument("name", help="the service's name")
    for flag, text in _FLAGS.items():
        new.add_argument(f"--{flag}", help=text)
    new.add_argument("--port", help="where it answers HTTP; 0 for none, 8080 unless said")
    new.add_argument(
        "--root", type=Path, default=ROOT, help="where services.yaml and the stack files are"
    )
    return parser


def _answers(options: argparse.Namespace) -> Answers:
    """What was said, and what is said when asked. Raises UserError where something is missing."""
    said = {flag: getattr(options, flag) for flag in _FLAGS}
    if sys.stdin.isatty():
        said = {flag: value or _ask(flag) for flag, value in said.items()}
    if missing := [f"--{flag}" for flag, value in said.items() if not value]:
        raise UserError(f"{', '.join(missing)} is missing; nothing was written")
    port = options.port or "8080"
    if not re.fullmatch(r"\d{1,5}", port):
        raise UserError(f"--port must be a number, or 0 for none (given: {port})")
    for flag, allowed in (("ci", _CI), ("delivery", _DELIVERIES)):
        if said[flag] not in allowed:
            raise UserError(f"--{flag} must be {' or '.join(allowed)} (given: {said[flag]})")
    return Answers(name=options.name, port=int(port) or None, **said)


_CI = ("github-actions", "circleci")
_DELIVERIES = ("keel", "commit")


def _ask(flag: str) -> str:
    return input(f"{flag} - {_FLAGS[flag]}: ").strip()


def _check(root: Path) -> None:
    """Raises UserError where `root` has no stack, or where the settings of one do not load."""
    stacks = stack_files(root)
    if not stacks:
        raise UserError(f"{root} has no Pulumi.<stack>.yaml; name the folder with --root")
    for stack in stacks:
        load_files(stack, root)


def _check_with(text: str, root: Path) -> None:
    """Raises SettingsError where the catalogue would not load with `text`, for any stack."""
    with tempfile.TemporaryDirectory() as folder:
        for path in stack_files(root).values():
            shutil.copy(path, folder)
        (Path(folder) / CATALOGUE_FILE).write_text(text, encoding="utf-8")
        _check(Path(folder))


def _next(root: Path, answers: Answers) -> str:
    stacks = list(stack_files(root))
    settings = load_files(stacks[0], root)
    owner = settings.registry_owner.name
    ordered = [owner, *(stack for stack in stacks if stack != owner)]
    up = " && ".join(f"pulumi up --stack {stack}" for stack in ordered)
    checkout = settings.config.gitops.checkout
    pipeline = f"{checkout}/pipelines/{answers.name}/"
    return f"""\
{answers.name} is in services.yaml, and nothing is wrong with it. What comes next:
1. {up}
2. commit what that wrote into {checkout}
3. copy {pipeline} into {answers.source}; its first lines say what it needs
docs/start.md goes on from there."""


if __name__ == "__main__":
    sys.exit(main())
