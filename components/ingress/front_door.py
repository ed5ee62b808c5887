"""Argo CD's own Ingress, which also says what holds for the whole load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.ingress import load_balancer
from components.ingress.ingress import Ingress
from settings.ingress import IngressConfig

SERVER = "argocd-server"
"""The Service of Argo CD's UI, API and webhook. They speak HTTP: TLS ends at the load balancer,
which checks no certificate of a pod, and gRPC comes as gRPC-web."""


@dataclass(frozen=True, kw_only=True)
class FrontDoorArgs:
    """Where Argo CD is, and how it is reached."""

    config: IngressConfig
    host: str
    way_in: Ingress
    argocd_namespace: Output[str]
    argocd_release: pulumi.Resource


class FrontDoor(pulumi.ComponentResource):
    """Argo CD under its own host.

    An Ingress with what is said once for the whole load balancer: listeners, the redirect from
    HTTP, TLS, and who may come in. It is there once the load balancer has an address. Wants a
    Kubernetes provider in `opts`.
    """

    def __init__(self, name: str, args: FrontDoorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:FrontDoor", name, None, opts)
        backend = {"service": {"name": SERVER, "port": {"name": "http"}}}
        path = {"path": "/", "path_type": "Prefix", "backend": backend}
        rules: Any = [{"host": args.host, "http": {"paths": [path]}}]
        tls: Any = [{"hosts": [args.host]}]
        k8s.networking.v1.Ingress(
            f"{name}-argocd",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=SERVER,
                namespace=args.argocd_namespace,
                annotations=dict(load_balancer.front_door(args.config)),
            ),
            spec=k8s.networking.v1.IngressSpecArgs(
                ingress_class_name=args.way_in.ingress_class,
                rules=rules,
                tls=tls,
            ),
            opts=ResourceOptions(parent=self, depends_on=[args.argocd_release, args.way_in]),
        )
        self.register_outputs({})
