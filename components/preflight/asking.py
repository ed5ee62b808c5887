"""Questions to AWS: by functions of the provider, with its credentials, region and endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from settings.aws_account import AwsAccount
from settings.cluster import ClusterConfig
from settings.ingress import IngressConfig
from settings.naming import Names
from settings.network import NetworkConfig
from settings.problems import Problem

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class PreflightArgs:
    """What the environment will ask of AWS."""

    network: NetworkConfig
    cluster: ClusterConfig
    ingress: IngressConfig | None
    names: Names
    account: AwsAccount
    repositories: Mapping[str, str]
    """Where the stack owns the registry, the path in the catalogue of each image repository, by
    its name."""
    issuers: Mapping[str, str]
    """The URLs of the OpenID Connect providers that the stack creates, by the CI system."""
    file: str
    """The stack file, for the report."""

    @property
    def nat_zones(self) -> Sequence[str]:
        """The letters of the zones of a new network with a NAT gateway."""
        zones, nat = self.network.zones, self.network.nat
        return zones if nat == "per-zone" else zones[:1]

    def problem(self, path: str, value: object, rule: str, remedy: str) -> Problem:
        """What is wrong with the key `platform:<path>` of the stack file."""
        return Problem(self.file, f"platform:{path}", str(value), rule, remedy)


class UnansweredError(Exception):
    """AWS did not answer; the message is what it said, on one line."""

    def __init__(self, said: Exception) -> None:
        super().__init__(" ".join(str(said).split()) or type(said).__name__)


def ask(function: Callable[..., Answer], **given: Any) -> Answer:
    """The answer of a function of the provider. UnansweredError: there is none."""
    try:
        return function(**given)
    except Exception as error:  # the SDK raises nothing narrower
        raise UnansweredError(error) from error
