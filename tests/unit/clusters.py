"""A cluster as components see it, without what it is made of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from pulumi import Output

from components.cluster.cluster import Cluster


def a_cluster(name: str = "acme-dev", *, owned: bool = True) -> Cluster:
    outputs = SimpleNamespace(
        name=Output.from_input(name), kubeconfig=Output.from_input("{}"), owned=owned
    )
    return cast(Cluster, outputs)
