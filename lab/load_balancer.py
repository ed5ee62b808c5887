"""The load balancer controller of one cluster: gives every Ingress an address.

It routes nothing. For Argo CD, an Ingress without an address is still progressing.
"""

from __future__ import annotations

from typing import Any

from lab.kubernetes_api import KubernetesApi

INGRESSES = "/apis/networking.k8s.io/v1"


def without_address(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Ingresses that wait for an address."""
    return [ingress for ingress in found if not ingress.get("status", {}).get("loadBalancer")]


def give_addresses(api: KubernetesApi, hostname: str) -> None:
    """Give every Ingress without an address one."""
    found = (api.get(f"{INGRESSES}/ingresses") or {}).get("items", [])
    for ingress in without_address(found):
        metadata = ingress["metadata"]
        path = f"{INGRESSES}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
        status = {"loadBalancer": {"ingress": [{"hostname": hostname}]}}
        api.replace(path, ingress | {"status": status})
