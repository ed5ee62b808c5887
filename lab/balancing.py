"""The load balancer of one cluster at work: takes HTTPS, and finds the pod by the host.

What KWOK plays, it answers for itself: with which pod would have been asked. A pod whose program
runs as a process is asked for real.
"""

from __future__ import annotations

import threading
from http import HTTPStatus

import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lab import load_balancer, names
from lab.http_server import as_json
from lab.kubernetes_api import KubernetesApi
from lab.programs import programs
from lab.site import HOST, Site

TIMEOUT = 60
_HOP_BY_HOP = {
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "transfer-encoding",
}


class LoadBalancer:
    """The listeners for HTTP and HTTPS."""

    def __init__(self, site: Site, environment: str) -> None:
        self._site = site
        self._environment = environment
        self._api = KubernetesApi(site, environment)
        self._ports = {name: program.port for name, program in programs(site, environment).items()}
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self) -> None:
        """Listen, in threads of this process."""
        certificate = names.certificate(self._site, self._environment)
        for name, answer, tls in (
            ("load-balancer", redirect, None),
            ("load-balancer-tls", self.answer, certificate),
        ):
            server = make_server(
                HOST,
                self._site.port(name, self._environment),
                Request.application(answer),
                threaded=True,
                ssl_context=tls,
            )
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, request: Request) -> Response:
        """What the pod behind the host answers."""
        found = load_balancer.backend(self._api, request.host.partition(":")[0])
        if found is None:
            return Response("no Ingress has this host\n", HTTPStatus.NOT_FOUND)
        pod = load_balancer.pod(self._api, *found)
        if pod is None:
            return Response("no pod is ready\n", HTTPStatus.SERVICE_UNAVAILABLE)
        container = pod["spec"]["containers"][0]
        port = self._ports.get(container["name"])
        if port is not None and pod["metadata"]["namespace"] == "argocd":
            return self._forward(request, port)
        return as_json(
            {
                "pod": pod["metadata"]["name"],
                "namespace": pod["metadata"]["namespace"],
                "image": container["image"],
            }
        )

    def _forward(self, request: Request, port: int) -> Response:
        headers = {name: text for name, text in request.headers if name.lower() not in _HOP_BY_HOP}
        answer = self._session.request(
            request.method,
            f"http://{HOST}:{port}{request.full_path.rstrip('?')}",
            data=request.get_data(),
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        kept = [
            (name, text) for name, text in answer.headers.items() if name.lower() not in _HOP_BY_HOP
        ]
        return Response(answer.content, answer.status_code, kept)


def redirect(request: Request) -> Response:
    """To the same place by HTTPS."""
    place = f"https://{request.host.partition(':')[0]}{request.full_path.rstrip('?')}"
    return Response(status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": place})
