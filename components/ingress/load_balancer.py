"""The load balancer that all Ingresses of an environment share, as Kubernetes objects. Pure.

Source: Amazon EKS User Guide, "Create an IngressClass to configure an Application Load Balancer";
AWS Load Balancer Controller, "IngressClass" and "Ingress annotations".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from settings.ingress import IngressConfig

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
"""TLS 1.3, and 1.2 with forward secrecy."""
_OPTION = "alb.ingress.kubernetes.io"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one controller wants to be told: both are the same program, at different hands."""

    group: str
    version: str
    controller: str
    certificates: str
    """The key of the certificates' ARNs."""


AUTO_MODE = Dialect(
    group="eks.amazonaws.com",
    version="v1",
    controller="eks.amazonaws.com/alb",
    certificates="certificateARNs",
)
CHART = Dialect(
    group="elbv2.k8s.aws",
    version="v1beta1",
    controller="ingress.k8s.aws/alb",
    certificates="certificateArn",
)


def parameters(
    dialect: Dialect,
    ingress: IngressConfig,
    *,
    group: str,
    certificate: str,
    subnets: Sequence[str],
) -> dict[str, Any]:
    """The `spec` of the IngressClassParams.

    group: Ingresses of one group share one load balancer; subnets: ids of where it is.
    """
    return {
        "scheme": "internal" if ingress.internal else "internet-facing",
        "group": {"name": group},
        dialect.certificates: [certificate],
        "subnets": {"ids": list(subnets)},
    }


def ingress_class(dialect: Dialect, name: str) -> dict[str, Any]:
    """The IngressClass; not the default one, so that no chart of somebody else gets it unasked."""
    return {
        "metadata": {"name": name},
        "spec": {
            "controller": dialect.controller,
            "parameters": {
                "api_group": dialect.group,
                "kind": "IngressClassParams",
                "name": name,
            },
        },
    }


def front_door(ingress: IngressConfig) -> dict[str, str]:
    """Annotations of Argo CD's Ingress: what is said once for the whole load balancer.

    One Ingress that redirects makes the load balancer redirect for all.
    """
    if not ingress.balances:
        # Another controller may give an Ingress no address, for which Pulumi would wait.
        return {"pulumi.com/skipAwait": "true"}
    ranges = ",".join(map(str, ingress.visitors))
    return {
        f"{_OPTION}/healthcheck-path": "/healthz",
        f"{_OPTION}/listen-ports": json.dumps([{"HTTP": 80}, {"HTTPS": 443}]),
        f"{_OPTION}/ssl-policy": TLS_POLICY,
        f"{_OPTION}/ssl-redirect": "443",
        f"{_OPTION}/target-type": "ip",
        **({f"{_OPTION}/inbound-cidrs": ranges} if ranges else {}),
    }


def covered(host: str, domain: str) -> bool:
    """Whether `*.<domain>` stands for the host: a wildcard is one label."""
    return host.partition(".")[2] == domain
