"""The load balancer controller of one cluster: gives every Ingress an address.

    python -m lab.load_balancer ENVIRONMENT

It routes nothing. For Argo CD, an Ingress without an address is still progressing.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

import requests

from lab.daemons.load_balancer import marker
from lab.kubernetes_api import KubernetesApi
from lab.site import Site

INGRESSES = "/apis/networking.k8s.io/v1"
POLL_SECONDS = 1


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


def main(environment: str) -> None:
    """Give addresses until SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    site = Site.from_environment()
    api = KubernetesApi(site, environment)
    marker(site, environment).touch()
    while True:
        try:
            give_addresses(api, f"load-balancer.{environment}.acme.example")
        except requests.RequestException as error:
            print(f"the API server does not answer: {error}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
