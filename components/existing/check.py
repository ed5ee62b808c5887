"""What exists already and is used as it is: checked as a whole, before anything is created."""

from __future__ import annotations

import pulumi

from components.existing import cluster as existing_cluster
from components.existing import network as existing_network
from components.existing.network import Found
from settings import Settings, SettingsError
from settings.stack import ExistingNetwork


def check(settings: Settings, network: ExistingNetwork, opts: pulumi.InvokeOptions) -> Found:
    """Look up the network, and the cluster in it if one is adopted too; the network as it is.

    RunError says in one report all that is missing or does not fit. What is usable but would be
    missed later is warned about.
    """
    file = f"Pulumi.{settings.stack}.yaml"
    found = existing_network.look_up(network, opts)
    cluster = settings.config.cluster
    problems = [*existing_network.misfits(network, found, file)]
    if cluster.existing:
        problems += existing_cluster.obstacles(cluster.existing, network.vpc, file, opts)
    elif found.vpc:
        problems += existing_network.obstacles(network.vpc, found.vpc, cluster.service_cidr, file)
    if problems:
        raise pulumi.RunError(str(SettingsError(problems)))
    for warning in existing_network.untagged(network, found):
        pulumi.log.warn(warning)
    return found
