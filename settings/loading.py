"""From the files to `Settings`: read, validated together, or refused with one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from settings import rules
from settings.catalogue import CATALOGUE_FILE, Catalogue
from settings.parsing import parse
from settings.problems import Problem, SettingsError
from settings.speed import SPEEDS, Speed
from settings.stack import Aws, Part, Stack
from settings.yaml_files import read_mapping

SECRETS: Mapping[str, str] = MappingProxyType(
    {
        "gitToken": "a token with which Argo CD reads the GitOps repository, and only that",
        "gitPrivateKey": "in place of gitToken, a deploy key",
        "gitWebhookSecret": "what Git signs its announcements of a push with",
        "ssoClientSecret": "of the OpenID Connect client; without it, PKCE",
        "slackToken": "of the Slack app",
        "webhookToken": "the bearer token of the notification webhook",
    }
)
"""`platform:` keys whose values are Pulumi secrets, and what each is: read elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One stack, as every other stack sees it."""

    name: str
    config: Stack
    aws: Aws

    @property
    def speed(self) -> Speed:
        return SPEEDS[self.config.speed]

    @property
    def account(self) -> str:
        return self.aws.allowed_account_ids[0]

    @property
    def region(self) -> str:
        return self.aws.region

    @property
    def partition(self) -> str:
        """The part of AWS that ARNs of this region name."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the program is told: one environment, its siblings and the catalogue."""

    environment: Environment
    environments: tuple[Environment, ...]
    """Every environment that has a stack file, this one included, sorted by name."""
    catalogue: Catalogue

    @property
    def stack(self) -> str:
        return self.environment.name

    @property
    def speed(self) -> Speed:
        return self.environment.speed

    @property
    def config(self) -> Stack:
        return self.environment.config

    @property
    def registry_owner(self) -> Environment:
        """The environment whose stack creates the registry."""
        return next(e for e in self.environments if e.name == self.config.registry.owner)

    @property
    def owns_registry(self) -> bool:
        return self.registry_owner.name == self.stack

    def protects(self, part: Part) -> bool:
        """Whether Pulumi and AWS refuse to delete or replace `part`.

        The network, the cluster and the registry are protected everywhere: replaced by an
        innocent change they are gone on a fast environment too.
        """
        wanted = self.speed.protected or part != "applications"
        return wanted and part not in self.config.unprotected

    def repository_arn(self, namespace: str, service: str) -> str:
        """The ARN of a service's image repository, computed, so that previews show it."""
        owner = self.registry_owner
        return (
            f"arn:{owner.partition}:ecr:{owner.region}:{owner.account}"
            f":repository/{namespace}/{service}"
        )

    @property
    def registry_host(self) -> str:
        """The registry's host name, computed, so that every file renders without a cloud."""
        owner = self.registry_owner
        domain = "amazonaws.com.cn" if owner.region.startswith("cn-") else "amazonaws.com"
        return self.config.registry.host or f"{owner.account}.dkr.ecr.{owner.region}.{domain}"


def load(stack: str, config: Mapping[str, Any], root: Path) -> Settings:
    """The settings of `stack` from its raw `config` and the files in the folder `root`.

    `config` has the keys of a Pulumi stack file, values parsed. Sibling stacks are read from
    `Pulumi.*.yaml`. Raises SettingsError with every problem found.
    """
    problems: list[Problem] = []
    raw = read_mapping(root / CATALOGUE_FILE, problems)
    catalogue = raw and parse(Catalogue, raw, CATALOGUE_FILE, problems)
    configs = {name: _stack_file(path, problems) for name, path in stack_files(root).items()}
    configs[stack] = config
    environments = tuple(
        environment
        for name, raw in sorted(configs.items())
        if (environment := _environment(name, raw, problems))
    )
    if catalogue and not problems:
        problems.extend(rules.check(environments, catalogue))
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
    return {path.name.split(".")[1]: path for path in sorted(root.glob("Pulumi.*.yaml"))}


def _stack_file(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    config = (read_mapping(path, problems) or {}).get("config", {})
    return config if isinstance(config, dict) else {}


def _environment(
    name: str, config: Mapping[str, Any], problems: list[Problem]
) -> Environment | None:
    if not config:
        return None
    file = f"Pulumi.{name}.yaml"
    ours = {
        key: value for key, value in _section(config, "platform:").items() if key not in SECRETS
    }
    known = {field.alias for field in Aws.model_fields.values()}
    aws = {key: value for key, value in _section(config, "aws:").items() if key in known}
    stack = parse(Stack, ours, file, problems, "platform:")
    account = parse(Aws, aws, file, problems, "aws:")
    return Environment(name=name, config=stack, aws=account) if stack and account else None


def _section(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)
    }
