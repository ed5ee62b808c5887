"""A cluster as components see it, without what it is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any, cast

from pulumi import Output

from components import wiring
from components.argocd import rbac as argocd_rbac
from components.argocd import values as argocd_values
from components.cluster.cluster import Cluster
from settings.environment import Settings
from settings.keel import KeelConfig


def a_cluster(name: str = "acme-dev", *, owned: bool = True) -> Cluster:
    outputs = SimpleNamespace(
        name=Output.from_input(name), kubeconfig=Output.from_input("{}"), owned=owned
    )
    return cast(Cluster, outputs)


def keel_config(settings: Settings) -> KeelConfig:
    """What an environment says about Keel, or the defaults."""
    return settings.config.keel or KeelConfig.model_validate({})


def chart_values(settings: Settings, secrets: Collection[str]) -> dict[str, Any]:
    """The values of Argo CD's chart where the stack sets `secrets`."""
    return argocd_values.values(wiring.argocd_installation(settings, frozenset(secrets)))


def argocd_rules(settings: Settings) -> Iterator[argocd_rbac.Rule]:
    return argocd_rbac.rules(settings.catalogue, owners_sync=settings.speed.owners_sync)


def argocd_policy(settings: Settings) -> str:
    return argocd_rbac.policy(settings.catalogue, owners_sync=settings.speed.owners_sync)
