"""Rules about networks and domain names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from settings.environment import Environment
from settings.problems import Problem


def service_range(environment: Environment) -> Iterator[Problem]:
    network, services = environment.config.network.cidr, environment.config.cluster.service_cidr
    if network and network.overlaps(services):
        yield environment.problem(
            "cluster.serviceCidr",
            services,
            f"overlaps the network's range {network}",
            "choose another private range for one of the two",
        )


def existing_cluster(environment: Environment) -> Iterator[Problem]:
    config = environment.config
    if config.cluster.existing and not config.network.existing:
        yield environment.problem(
            "cluster.existing",
            config.cluster.existing,
            "is a cluster in a network that exists, and platform:network would create another one",
            "give platform:network.existing the ids of the cluster's VPC and subnets",
        )


def overlapping_networks(environments: Sequence[Environment]) -> Iterator[Problem]:
    for one, other in combinations(environments, 2):
        ours, theirs = one.config.network.cidr, other.config.network.cidr
        if ours and theirs and ours.overlaps(theirs):
            yield other.problem(
                "network.cidr",
                theirs,
                f"overlaps {ours} of {one.file}",
                "give each environment a range of its own, so that they can be peered",
            )


def shared_domains(environments: Sequence[Environment]) -> Iterator[Problem]:
    for one, other in combinations(environments, 2):
        for key, mine, theirs in (
            ("domain", one.config.domain, other.config.domain),
            ("argocd.domain", one.config.argocd_domain, other.config.argocd_domain),
        ):
            if mine == theirs:
                yield other.problem(
                    key,
                    theirs,
                    f"is that of {one.file} too, and a name leads to one cluster",
                    "give each environment a name of its own",
                )
