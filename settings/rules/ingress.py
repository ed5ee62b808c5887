"""Rules about the way in."""

from __future__ import annotations

from collections.abc import Iterator

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.problems import Problem

ZONES = 2
"""A load balancer is in two availability zones at least."""


def check(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    """Everything that can be seen in one environment."""
    yield from _names_in_zone(environment)
    yield from _certificate(environment)
    yield from _load_balancer(environment)
    yield from _name_of_argo_cd(environment, catalogue)


def _names_in_zone(environment: Environment) -> Iterator[Problem]:
    """The names are made in the zone, and nowhere else."""
    config, ingress = environment.config, environment.config.ingress
    if not ingress or not ingress.zone:
        return
    for key, name in (("domain", config.domain), ("argocd.domain", config.argocd_domain)):
        if name != ingress.zone and not name.endswith(f".{ingress.zone}"):
            yield environment.problem(
                key,
                name,
                f"is not in {ingress.zone} of platform:ingress.zone, where its names are made",
                "name the zone that it is in, or another name",
            )
    if config.argocd_domain == ingress.zone:
        yield environment.problem(
            "argocd.domain",
            config.argocd_domain,
            "is the zone itself, whose own name belongs to the whole company",
            f"take a name in it, such as argocd.{ingress.zone}",
        )


def _certificate(environment: Environment) -> Iterator[Problem]:
    """A load balancer takes certificates of its own account and region alone."""
    ingress = environment.config.ingress
    if not ingress or not ingress.certificate:
        return
    region, account = ingress.certificate.split(":")[3:5]
    for what, found, wanted in (
        ("region", region, environment.region),
        ("account", account, environment.account),
    ):
        if found != wanted:
            yield environment.problem(
                "ingress.certificate",
                ingress.certificate,
                f"is of the {what} {found}, and the load balancer of {wanted} cannot use it",
                f"name a certificate of {wanted}, or remove the key and name a zone",
            )


def _load_balancer(environment: Environment) -> Iterator[Problem]:
    """What makes the load balancer, and where it is."""
    config, ingress = environment.config, environment.config.ingress
    if not ingress or not ingress.balances:
        return
    if config.cluster.existing:
        yield environment.problem(
            "ingress",
            "",
            "asks for a load balancer, and an existing cluster has its own way to make one",
            "name its platform:ingress.class",
        )
    existing = config.network.existing
    if existing and not ingress.internal and len(existing.public_subnets) < ZONES:
        yield environment.problem(
            "network.existing.publicSubnets",
            "",
            "has fewer than two subnets, and a load balancer that the internet reaches is in two",
            "name two of them, or write platform:ingress.reach: internal",
        )


def _name_of_argo_cd(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    """One name leads to one place."""
    config = environment.config
    if not config.ingress:
        return
    for namespace, name, service in catalogue.of(environment.name).entries():
        if service.ingress and f"{name}.{config.domain}" == config.argocd_domain:
            yield environment.problem(
                "argocd.domain",
                config.argocd_domain,
                f"is the name of the service {name} of {namespace} too",
                "give Argo CD another name, or the service",
            )
