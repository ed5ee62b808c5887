"""What an Ingress tells the load balancer of the program about its own pods. Pure."""

from __future__ import annotations

from settings.catalogue import Service
from settings.environment import Environment, Settings

_OPTION = "alb.ingress.kubernetes.io"


def health_check(settings: Settings, service: Service) -> dict[str, str]:
    """How the load balancer asks whether a pod works: as Kubernetes does, before it sends requests.

    It asks by HTTP alone. A service that is asked otherwise counts as working when it answers at
    all. Empty where no environment has a load balancer of the program.
    """
    if not service.ingress or not any(map(_balanced, settings.environments)):
        return {}
    check = service.checks().get("readiness")
    if not check or not check.http:
        return {f"{_OPTION}/success-codes": "200-499"}
    port = {f"{_OPTION}/healthcheck-port": str(check.port)} if check.port else {}
    success = {f"{_OPTION}/success-codes": "200-399"}  # as Kubernetes counts
    return {f"{_OPTION}/healthcheck-path": check.http, **port, **success}


def ingress_class(environment: Environment) -> str:
    """The class of the environment's Ingresses; empty where the cluster's default one counts."""
    config = environment.config
    return config.ingress.class_name(auto=config.cluster.auto) if config.ingress else ""


def _balanced(environment: Environment) -> bool:
    ingress = environment.config.ingress
    return ingress is not None and ingress.balances
