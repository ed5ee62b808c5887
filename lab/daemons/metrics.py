"""The metrics API of one cluster, in place of a metrics server, from loads that tests set.

    PUT /load/<namespace>/<name>    millicores of CPU, which the pods of that name share

Pods without a load use one millicore each. The API server reaches it as metrics.k8s.io.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from lab.daemon import Daemon, title
from lab.http_server import as_json, serve
from lab.kubernetes_api import KubernetesApi, cluster_pki
from lab.readiness import http_ok
from lab.site import HOST, Site

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
API = f"/apis/{GROUP}/{VERSION}"
NAME = "app.kubernetes.io/name"
SERVICE = {"name": "metrics-server", "namespace": "kube-system"}
Object = dict[str, Any]
Loads = Mapping[tuple[str, str], int]
"""Millicores by namespace and name."""


def daemon(site: Site, environment: str) -> Daemon:
    port = site.port("metrics", environment)
    return Daemon(
        name="metrics",
        environment=environment,
        port=port,
        needs=frozenset({title("apiserver", environment)}),
        prepare=lambda: register(KubernetesApi(site, environment), port),
        ready=http_ok(
            f"{address(site, environment)}{API}", authority=cluster_pki(site, environment).authority
        ),
        command=(sys.executable, "-m", "lab.daemons.metrics", environment),
    )


def address(site: Site, environment: str) -> str:
    return site.url("metrics", environment, "https")


def register(api: KubernetesApi, port: int) -> None:
    """Let the API server answer for the group by asking this daemon."""
    api.create(
        "/api/v1/namespaces/kube-system/services",
        {"metadata": SERVICE, "spec": {"type": "ExternalName", "externalName": HOST}},
    )
    api.create(
        "/apis/apiregistration.k8s.io/v1/apiservices",
        {
            "metadata": {"name": f"{VERSION}.{GROUP}"},
            "spec": {
                "group": GROUP,
                "version": VERSION,
                "service": {**SERVICE, "port": port},
                "insecureSkipTLSVerify": True,  # as the metrics server's own manifests have it
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    )


def usage(pods: list[Object], loads: Loads, now: str) -> Object:
    """The metrics of the pods that run: each has its share of the load of its name."""
    running = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
    alike = Counter(map(_key, running))
    items = []
    for pod in running:
        share = max(loads.get(_key(pod), 0) // alike[_key(pod)], 1)
        names = [container["name"] for container in pod["spec"]["containers"]]
        amount = {"cpu": f"{share // len(names)}m", "memory": "16Mi"}
        items.append(
            {
                "metadata": {key: pod["metadata"].get(key) for key in ("name", "namespace")},
                "timestamp": now,
                "window": "1s",
                "containers": [{"name": name, "usage": amount} for name in names],
            }
        )
    return {"kind": "PodMetricsList", "apiVersion": f"{GROUP}/{VERSION}", "items": items}


def answer(api: KubernetesApi, loads: dict[tuple[str, str], int], request: Request) -> Response:
    """Answer one HTTP request."""
    match request.path.strip("/").split("/"):
        case ["load", namespace, name] if request.method == "PUT":
            loads[namespace, name] = int(json.loads(request.get_data()))
            return Response(status=HTTPStatus.NO_CONTENT)
        case ["apis", _, _]:
            return as_json(DISCOVERY)
        case ["apis", _, _, "namespaces", namespace, "pods"]:
            query = urlencode({"labelSelector": request.args.get("labelSelector", "")})
            found = api.get(f"/api/v1/namespaces/{namespace}/pods?{query}") or {}
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return as_json(usage(found.get("items", []), loads, now))
    return Response(status=HTTPStatus.NOT_FOUND)


DISCOVERY = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": f"{GROUP}/{VERSION}",
    "resources": [
        {
            "name": "pods",
            "singularName": "",
            "namespaced": True,
            "kind": "PodMetrics",
            "verbs": ["list"],
        }
    ],
}


def _key(pod: Object) -> tuple[str, str]:
    metadata = pod["metadata"]
    return metadata["namespace"], metadata.get("labels", {}).get(NAME, "")


if __name__ == "__main__":
    here, environment = Site.from_environment(), sys.argv[1]
    pki = cluster_pki(here, environment)
    serve(
        here.port("metrics", environment),
        partial(answer, KubernetesApi(here, environment), {}),
        certificate=(str(pki.certificate), str(pki.key)),
    )
