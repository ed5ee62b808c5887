"""Checks of an existing network and cluster, before anything is created."""

from __future__ import annotations

import pulumi

from components.existing import cluster as existing_cluster
from components.existing import network as existing_network
from components.existing.network import Found
from settings.cluster import ClusterConfig
from settings.files import Sources
from settings.network import ExistingNetwork
from settings.problems import Problem, SettingsError


def find(
    network: ExistingNetwork, cluster: ClusterConfig, *, file: str, opts: pulumi.InvokeOptions
) -> tuple[Found, list[Problem]]:
    """The network as it is, and what is missing or does not fit, of the cluster in it too.

    file: the stack file that names them.
    """
    found = existing_network.look_up(network, opts)
    problems = [*existing_network.misfits(network, found, file)]
    if cluster.existing:
        problems += existing_cluster.obstacles(cluster.existing, network.vpc, file, opts)
    elif found.vpc:
        problems += existing_network.obstacles(network.vpc, found.vpc, cluster.service_cidr, file)
    return found, problems


def check(
    network: ExistingNetwork,
    cluster: ClusterConfig,
    *,
    file: str,
    sources: Sources,
    opts: pulumi.InvokeOptions,
) -> Found:
    """Look up the network, and the cluster in it if that exists too; the network as it is.

    file: the stack file that names them; sources: its lines. RunError reports all that
    is missing or does not fit. A missing tag is a warning.
    """
    found, problems = find(network, cluster, file=file, opts=opts)
    if problems:
        raise pulumi.RunError(str(SettingsError(sources.located(problems))))
    for warning in existing_network.untagged(network, found):
        pulumi.log.warn(warning)
    return found
