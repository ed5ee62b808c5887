"""What the program is told: an environment among its siblings, and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from settings.catalogue import Catalogue
from settings.problems import Problem
from settings.speed import SPEEDS, Speed
from settings.stack import Aws, Part, Stack


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One stack, as every other stack sees it."""

    name: str
    config: Stack
    aws: Aws
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
    def partition(self) -> str:
        """The part of AWS that ARNs of this region name."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")

    def role_arn(self, name: str) -> str:
        """The ARN of an IAM role in the environment's account."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def problem(self, path: str, value: object, rule: str, remedy: str) -> Problem:
        """What is wrong with the key `platform:<path>` of this environment's stack file."""
        return Problem(f"Pulumi.{self.name}.yaml", f"platform:{path}", str(value), rule, remedy)


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
    def fast(self) -> Environment:
        """The one environment that builds are delivered to; its name is the tag they move."""
        return next(e for e in self.environments if e.speed.moving_tag)

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
