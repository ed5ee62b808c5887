"""The settings of a run: an environment among its siblings, and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from settings.aws import AwsConfig
from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.files import NO_SOURCES, Sources, stack_file
from settings.naming import Names
from settings.problems import Problem
from settings.speed import SPEEDS, Speed
from settings.stack import Protectable, StackConfig


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One stack, as every other stack sees it."""

    name: str
    config: StackConfig
    aws: AwsConfig
    secrets: frozenset[str]
    """The names of the secrets that the stack sets; their values stay with Pulumi."""

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
    def aws_account(self) -> AwsAccount:
        """Where its AWS resources are."""
        return AwsAccount(id=self.account, region=self.region)

    @property
    def names(self) -> Names:
        """The names of its AWS resources."""
        return Names(self.config.organization, self.name)

    @property
    def file(self) -> str:
        """The name of its stack file."""
        return stack_file(self.name)

    def problem(self, path: str, value: object, rule: str, remedy: str) -> Problem:
        """What is wrong with the key `platform:<path>` of this environment's stack file."""
        return Problem(self.file, f"platform:{path}", str(value), rule, remedy)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a run: one environment, its siblings and the catalogue."""

    environment: Environment
    environments: tuple[Environment, ...]
    """Every environment that has a stack file, this one included, sorted by name."""
    catalogue: Catalogue
    sources: Sources = NO_SOURCES
    """Which line of which file says what."""

    @property
    def stack(self) -> str:
        return self.environment.name

    @property
    def speed(self) -> Speed:
        return self.environment.speed

    @property
    def config(self) -> StackConfig:
        return self.environment.config

    @property
    def living(self) -> Catalogue:
        """The catalogue with only the services of this environment."""
        return self.catalogue.of(self.stack)

    @property
    def has_private(self) -> bool:
        """Whether a service has something that no other may take."""
        return any(service.has_private(self.stack) for _, _, service in self.living.entries())

    @property
    def registry_owner(self) -> Environment:
        """The environment whose stack creates the registry."""
        return next(e for e in self.environments if e.name == self.config.registry.owner)

    @property
    def fast(self) -> Environment:
        """The one environment that builds are delivered to; its name is the tag they move."""
        return next(e for e in self.environments if e.speed.moving_tag)

    @property
    def owns_registry(self) -> bool:
        return self.registry_owner.name == self.stack

    @property
    def domains_inside(self) -> list[str]:
        """Domains of other environments that are inside this one's."""
        inside = f".{self.config.domain}"
        others = (e.config.domain for e in self.environments if e.name != self.stack)
        return sorted(domain for domain in others if domain.endswith(inside))

    def protects(self, what: Protectable) -> bool:
        """Whether Pulumi and AWS refuse to delete or replace it.

        The network, the cluster and the registry are protected everywhere: replaced by an
        innocent change they are gone on a fast environment too.
        """
        wanted = self.speed.protected or what != "applications"
        return wanted and what not in self.config.unprotected

    @property
    def registry_host(self) -> str:
        """The registry's host name, computed, so that every file renders without a cloud."""
        owner = self.registry_owner
        set_by_hand = self.config.registry.host or owner.config.registry.host
        return set_by_hand or owner.aws_account.registry_host
