"""The load balancer controller of one cluster: gives Ingresses the address of a load balancer.

One with a class has the load balancer that its class describes, once its certificate is issued. One
without a class belongs to some other controller, whose address is made up and leads nowhere: for
Argo CD, an Ingress without an address is still progressing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lab.kubernetes_api import KubernetesApi

Object = Mapping[str, Any]
NETWORKING = "/apis/networking.k8s.io/v1"
DIALECTS = {
    "eks.amazonaws.com/alb": ("/apis/eks.amazonaws.com/v1", "certificateARNs"),
    "ingress.k8s.aws/alb": ("/apis/elbv2.k8s.aws/v1beta1", "certificateArn"),
}
"""By the controller of a class: the API of its parameters, and their key of the certificates."""


def without_address(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Ingresses that wait for an address."""
    return [ingress for ingress in found if not ingress.get("status", {}).get("loadBalancer")]


def give_addresses(
    api: KubernetesApi, region: str, elsewhere: str, issued: Callable[[str], bool]
) -> None:
    """Give every Ingress without an address one.

    elsewhere: the host name of those without a class; issued: whether a certificate is.
    """
    found = (api.get(f"{NETWORKING}/ingresses") or {}).get("items", [])
    for ingress in without_address(found):
        name = ingress["spec"].get("ingressClassName")
        host = _of_class(api, name, region, issued) if name else elsewhere
        if not host:
            continue
        metadata = ingress["metadata"]
        path = f"{NETWORKING}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}"
        status = {"loadBalancer": {"ingress": [{"hostname": host}]}}
        api.replace(f"{path}/status", ingress | {"status": status})


def _of_class(
    api: KubernetesApi, name: str, region: str, issued: Callable[[str], bool]
) -> str | None:
    """The host name of the load balancer that a class describes; None while it cannot be."""
    described = api.get(f"{NETWORKING}/ingressclasses/{name}")
    if not described or described["spec"]["controller"] not in DIALECTS:
        return None
    place, certificates = DIALECTS[described["spec"]["controller"]]
    parameters = api.get(f"{place}/ingressclassparams/{described['spec']['parameters']['name']}")
    if not parameters or not all(map(issued, parameters["spec"][certificates])):
        return None
    return hostname(parameters["spec"], region)


def hostname(parameters: Object, region: str) -> str:
    """The name that AWS gives a load balancer."""
    group = parameters["group"]["name"]
    mark = hashlib.sha256(group.encode()).hexdigest()[:10]
    internal = "internal-" if parameters["scheme"] == "internal" else ""
    return f"{internal}k8s-{group.replace('-', '')}-{mark}-1.{region}.elb.amazonaws.com"


def addresses(api: KubernetesApi) -> set[str]:
    """The host names of a cluster's load balancers."""
    found = (api.get(f"{NETWORKING}/ingresses") or {}).get("items", [])
    return {address for ingress in found for address in _addresses(ingress)}


def _addresses(ingress: Object) -> Iterator[str]:
    for entry in ingress.get("status", {}).get("loadBalancer", {}).get("ingress", ()):
        yield entry["hostname"]


def backend(api: KubernetesApi, host: str) -> tuple[str, str] | None:
    """Namespace and name of the Service behind a host, among Ingresses that have an address."""
    for ingress in (api.get(f"{NETWORKING}/ingresses") or {}).get("items", []):
        if not ingress["spec"].get("ingressClassName") or not [*_addresses(ingress)]:
            continue
        for rule in ingress["spec"].get("rules", ()):
            if rule.get("host") == host:
                service = rule["http"]["paths"][0]["backend"]["service"]["name"]
                return ingress["metadata"]["namespace"], service
    return None


def pod(api: KubernetesApi, namespace: str, service: str) -> Object | None:
    """A pod of the Service that is ready."""
    selector = f"labelSelector=kubernetes.io%2Fservice-name%3D{service}"
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?{selector}"
    for item in (api.get(path) or {}).get("items", []):
        for endpoint in item.get("endpoints") or ():
            if endpoint["conditions"].get("ready"):
                name = endpoint["targetRef"]["name"]
                return api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
    return None
