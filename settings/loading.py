"""From the files to `Settings`: read, validated together, or refused with one report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from settings.catalogue import CATALOGUE_FILE, Catalogue
from settings.environment import Environment, Settings
from settings.parsing import parse
from settings.problems import Problem, SettingsError
from settings.rules import immutable as standing
from settings.rules import platform as rules
from settings.secret_keys import SECRETS
from settings.stack import Aws, Stack
from settings.yaml_files import read_mapping

NOTHING: Mapping[str, str] = MappingProxyType({})


def load(
    stack: str, config: Mapping[str, Any], root: Path, stands: Mapping[str, str] = NOTHING
) -> Settings:
    """The settings of `stack` from its raw `config` and the files in the folder `root`.

    `config` has the keys of a Pulumi stack file, values parsed. Sibling stacks are read from
    `Pulumi.*.yaml`. `stands` is what `standing` said when the stack was last applied. Raises
    SettingsError with every problem found.
    """
    problems: list[Problem] = []
    raw = read_mapping(root / CATALOGUE_FILE, problems)
    catalogue = raw and parse(Catalogue, raw, CATALOGUE_FILE, problems)
    configs = {name: _stack_file(path, problems) for name, path in stack_files(root).items()}
    configs[stack] = config
    environments = tuple(
        environment
        for name, raw in sorted(configs.items())
        if (raw or name == stack) and (environment := _environment(name, raw, problems))
    )
    all_parsed = not problems
    for name, values in configs.items():
        problems.extend(rules.kubernetes_support(name, values))
    problems.extend(standing.check(stack, config, stands))
    if catalogue:
        problems.extend(rules.of_catalogue(catalogue))
        for environment in environments:
            problems.extend(rules.of_one(environment, catalogue))
        if all_parsed:
            problems.extend(rules.of_all(environments, catalogue))
    if problems or not catalogue:
        raise SettingsError(problems)
    own = next(environment for environment in environments if environment.name == stack)
    return Settings(environment=own, environments=environments, catalogue=catalogue)


def load_files(stack: str, root: Path, stack_file: Path | None = None) -> Settings:
    """The settings of `stack` from files alone; `stack_file` in place of `Pulumi.<stack>.yaml`."""
    problems: list[Problem] = []
    config = _stack_file(stack_file or root / f"Pulumi.{stack}.yaml", problems)
    if problems:
        raise SettingsError(problems)
    return load(stack, config, root)


def stack_files(root: Path) -> dict[str, Path]:
    """Every stack file in `root`, by the stack's name."""
    return {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path
        for path in sorted(root.glob("Pulumi.*.yaml"))
    }


def _stack_file(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    content = (read_mapping(path, problems) or {}).get("config", {})
    config = content if isinstance(content, dict) else {}
    problems.extend(_in_the_open(path.name, config))
    return config


def _in_the_open(file: str, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Secrets that stand in a stack file as they are."""
    for name in sorted(SECRETS):
        if isinstance(config.get(f"platform:{name}", {}), str):
            yield Problem(
                file,
                f"platform:{name}",
                "",
                "is a secret and not encrypted",
                f"set it with `pulumi config set --secret platform:{name}`, and make a new one: "
                "this one is known",
            )


def _environment(
    name: str, config: Mapping[str, Any], problems: list[Problem]
) -> Environment | None:
    file = f"Pulumi.{name}.yaml"
    section = _section(config, "platform:")
    ours = {key: value for key, value in section.items() if key not in SECRETS}
    secrets = frozenset(section.keys() & SECRETS.keys())
    known = {field.alias for field in Aws.model_fields.values()}
    aws = {key: value for key, value in _section(config, "aws:").items() if key in known}
    stack = parse(Stack, ours, file, problems, "platform:")
    account = parse(Aws, aws, file, problems, "aws:")
    if not stack or not account:
        return None
    return Environment(name=name, config=stack, aws=account, secrets=secrets)


def _section(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)
    }
