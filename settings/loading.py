"""From the files to `Settings`: read, validated together, or refused with one report."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from settings import rules
from settings.aws import AwsConfig
from settings.catalogue import Catalogue
from settings.environment import Environment, Settings
from settings.files import (
    CATALOGUE_FILE,
    Sources,
    YamlFile,
    read_yaml,
    stack_file,
    stack_files,
)
from settings.parsing import parse
from settings.problems import Problem, SettingsError
from settings.secret_keys import SECRETS
from settings.stack import StackConfig

NOTHING: Mapping[str, str] = MappingProxyType({})
_IN_AN_ENTRY = re.compile(r"namespaces\.([^.]+)\.(services|packages)\.([^.]+)")

_ENTRIES = ("services", "packages")


def load(
    stack: str, config: Mapping[str, Any], root: Path, applied: Mapping[str, str] = NOTHING
) -> Settings:
    """The settings of `stack` from its raw `config` and the files in the folder `root`.

    `config` has the keys of a Pulumi stack file, values parsed. Sibling stacks are read from
    `Pulumi.*.yaml`. `applied` is what `rules.immutable.values` said when the stack was last
    applied. Raises SettingsError with every problem found.
    """
    problems: list[Problem] = []
    written = _stacks(root, problems)
    own = written.get(stack, YamlFile(name=stack_file(stack), content={}, lines={})).only(config)
    files = written | {stack: own}
    return _load(stack, files, written, root=root, problems=problems, applied=applied)


def load_files(stack: str, root: Path, config_file: Path | None = None) -> Settings:
    """The settings of `stack` from files alone; `config_file` in place of `Pulumi.<stack>.yaml`."""
    problems: list[Problem] = []
    own = _stack(config_file or root / stack_file(stack), problems)
    if problems:
        raise SettingsError(problems)
    written = _stacks(root, problems)
    files = written | {stack: own}
    return _load(stack, files, written, root=root, problems=problems, applied=NOTHING)


def _load(
    stack: str,
    files: Mapping[str, YamlFile],
    written: Mapping[str, YamlFile],
    *,
    root: Path,
    problems: list[Problem],
    applied: Mapping[str, str],
) -> Settings:
    """The settings from the configuration of every stack.

    files: what counts, by stack; written: the files in `root`, which have to agree.
    """
    raw = read_yaml(root / CATALOGUE_FILE, problems)
    sources = Sources({CATALOGUE_FILE: raw, **{stack_file(n): file for n, file in files.items()}})
    faults: list[Problem] = []
    catalogue = raw and _catalogue(raw.content, faults)
    environments = tuple(
        environment
        for name, file in sorted(files.items())
        if (file.content or name == stack)
        and (environment := _environment(name, file.content, problems))
    )
    all_parsed = not problems
    problems.extend(faults)
    for name, file in files.items():
        problems.extend(rules.of_raw(name, file.content))
    problems.extend(rules.immutable.check(stack, files[stack].content, applied))
    if catalogue:
        problems.extend(rules.of_catalogue(catalogue))
        for environment in environments:
            problems.extend(rules.of_one(environment, catalogue))
        if all_parsed:
            problems.extend(rules.of_all(environments, catalogue))
    problems.extend(rules.of_files({n: f.content for n, f in written.items()}))
    if problems or not catalogue:
        raise SettingsError(sources.located(problems))
    own = next(environment for environment in environments if environment.name == stack)
    return Settings(
        environment=own, environments=environments, catalogue=catalogue, sources=sources
    )


def _catalogue(content: Mapping[str, Any], problems: list[Problem]) -> Catalogue | None:
    """The catalogue; where some entries are faulty the others, whose rules are checked as well."""
    whole = parse(Catalogue, content, CATALOGUE_FILE, problems)
    faulty = {found.groups() for p in problems if (found := _IN_AN_ENTRY.match(p.path))}
    if whole or not faulty:
        return whole
    namespaces = {}
    for namespace, group in content["namespaces"].items():
        sound = {kind: _without(faulty, namespace, kind, group) for kind in _ENTRIES}
        if any(sound.values()):
            namespaces[namespace] = {**group, **sound}
    rest = {**content, "namespaces": namespaces}
    return parse(Catalogue, rest, CATALOGUE_FILE, [])


def _without(
    faulty: Collection[tuple[str, ...]], namespace: str, kind: str, group: object
) -> dict[str, Any]:
    """The entries of that kind in a namespace that have no fault."""
    written = group.get(kind) if isinstance(group, dict) else None
    named = written.items() if isinstance(written, dict) else ()
    return {name: what for name, what in named if (namespace, kind, name) not in faulty}


def _stacks(root: Path, problems: list[Problem]) -> dict[str, YamlFile]:
    """Every stack file in `root`, by the stack's name."""
    return {name: _stack(path, problems) for name, path in stack_files(root).items()}


def _stack(path: Path, problems: list[Problem]) -> YamlFile:
    """The configuration in a stack file; nothing where it cannot be read."""
    file = read_yaml(path, problems)
    if not file:
        return YamlFile(name=path.name, content={}, lines={})
    stack = file.of_stack()
    problems.extend(_in_the_open(stack))
    return stack


def _in_the_open(file: YamlFile) -> Iterator[Problem]:
    """Secrets that are in a stack file in the clear."""
    for name in sorted(SECRETS):
        if isinstance(file.content.get(f"platform:{name}", {}), str):
            yield Problem(
                file.name,
                f"platform:{name}",
                "",
                "is a secret and not encrypted",
                f"set it with `pulumi config set --secret platform:{name}`, and make a new one: "
                "this one is known",
            )


def _environment(
    name: str, config: Mapping[str, Any], problems: list[Problem]
) -> Environment | None:
    file = stack_file(name)
    section = _section(config, "platform:")
    ours = {key: value for key, value in section.items() if key not in SECRETS}
    secrets = frozenset(section.keys() & SECRETS.keys())
    known = {field.alias for field in AwsConfig.model_fields.values()}
    aws = {key: value for key, value in _section(config, "aws:").items() if key in known}
    stack = parse(StackConfig, ours, file, problems, "platform:")
    account = parse(AwsConfig, aws, file, problems, "aws:")
    if not stack or not account:
        return None
    return Environment(name=name, config=stack, aws=account, secrets=secrets)


def _section(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)
    }
