"""What a hostile team commits is refused by the API server, which says by what and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lab.kubectl import KubectlError
from lab.tests.environment.conftest import Lab

Manifest = dict[str, Any]
OWN, OTHERS = "tv-frontend.dev.acme.example", "tournaments.dev.acme.example"
EVIL = "docker.io/evil/miner:1"


def manifest(api: str, kind: str, spec: Manifest, **annotations: str) -> Manifest:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "probe", "namespace": "streaming", "annotations": annotations},
        "spec": spec,
    }


def ingress(
    host: str | None, annotations: Mapping[str, str] | None = None, spec: Manifest | None = None
) -> Manifest:
    backend = {"service": {"name": "tv-frontend", "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rule = {"http": {"paths": [path]}} | ({"host": host} if host else {})
    return manifest(
        "networking.k8s.io/v1", "Ingress", {"rules": [rule]} | (spec or {}), **(annotations or {})
    )


def service(spec: Manifest, **annotations: str) -> Manifest:
    return manifest("v1", "Service", {"ports": [{"port": 80}], **spec}, **annotations)


def pod(image: str, kind: str = "containers") -> Manifest:
    hardened = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "probe", "image": image, "securityContext": hardened}
    spec: Manifest = {"containers": [container]}
    if kind != "containers":
        spec[kind] = [{**container, "name": "first"}]
        spec["containers"] = [{**container, "image": own("probe")}]
    return spec


def template(image: str) -> Manifest:
    return {"metadata": {"labels": {"a": "b"}}, "spec": pod(image)}


def own(name: str) -> str:
    """An image of the platform's registry; REGISTRY is replaced by the lab's."""
    return f"REGISTRY/streaming/{name}:dev"


def deployment(image: str) -> Manifest:
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template(image)}
    return manifest("apps/v1", "Deployment", spec)


def cron_job(image: str) -> Manifest:
    job = template(image)
    job["spec"]["restartPolicy"] = "Never"
    return manifest(
        "batch/v1",
        "CronJob",
        {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": job}}},
    )


HOSTILE: Mapping[str, tuple[Manifest, str]] = {
    "the host of another team": (ingress(OTHERS), f"may be for {OWN}, not {OTHERS}"),
    "every host": (ingress(None), f"may be for {OWN}, not (any)"),
    "all hosts by a wildcard": (ingress("*.dev.acme.example"), "not *.dev.acme.example"),
    "whatever no other Ingress takes": (
        ingress(OWN, spec={"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}}),
        "may have no defaultBackend",
    ),
    "the certificate of another team": (
        ingress(OWN, spec={"tls": [{"hosts": [OWN, OTHERS]}]}),
        "may have certificates for the hosts of its services alone",
    ),
    "further hosts by a condition": (
        ingress(OWN, {"alb.ingress.kubernetes.io/conditions.x": "[]"}),
        "may not have the annotations alb.ingress.kubernetes.io/conditions.x",
    ),
    "a name in DNS by an Ingress": (
        ingress(OWN, {"external-dns.alpha.kubernetes.io/hostname": "bank.example"}),
        "may not have the annotations external-dns.alpha.kubernetes.io/hostname",
    ),
    "a name in DNS by an Ingress, for external-dns since 0.22": (
        ingress(OWN, {"external-dns.kubernetes.io/hostname": "bank.example"}),
        "may not have the annotations external-dns.kubernetes.io/hostname",
    ),
    "configuration of nginx": (
        ingress(OWN, {"nginx.ingress.kubernetes.io/server-snippet": "return 200;"}),
        "may not have the annotations nginx.ingress.kubernetes.io/server-snippet",
    ),
    "a load balancer of its own": (
        service({"type": "LoadBalancer"}),
        "must be of type ClusterIP, not LoadBalancer",
    ),
    "a port of every node": (
        service({"type": "NodePort"}),
        "must be of type ClusterIP, not NodePort",
    ),
    "an address that is another's": (
        service({"externalIPs": ["198.51.100.7"]}),
        "may have no externalIPs",
    ),
    "a name in DNS by a Service": (
        service({}, **{"external-dns.alpha.kubernetes.io/hostname": "bank.example"}),
        "may have no annotations of external-dns",
    ),
    "a name in DNS by a Service, for external-dns since 0.22": (
        service({}, **{"external-dns.kubernetes.io/hostname": "bank.example"}),
        "may have no annotations of external-dns",
    ),
    "a strange image in a pod": (manifest("v1", "Pod", pod(EVIL)), f"not {EVIL}"),
    "a strange image that runs first": (
        manifest("v1", "Pod", pod(EVIL, "initContainers")),
        f"not {EVIL}",
    ),
    "a registry whose name begins alike": (
        manifest("v1", "Pod", pod("REGISTRY.evil.example/streaming/tv-api:1")),
        ".evil.example/streaming/tv-api:1",
    ),
    "a strange image in a Deployment": (deployment(EVIL), f"not {EVIL}"),
    "a strange image in a CronJob": (cron_job(EVIL), f"not {EVIL}"),
    "more than there is": (
        manifest(
            "v1",
            "Pod",
            {
                "containers": [
                    {
                        **pod(own("probe"))["containers"][0],
                        "resources": {"requests": {"cpu": "9"}, "limits": {"cpu": "9"}},
                    }
                ]
            },
        ),
        "exceeded quota: quota",
    ),
}

HARMLESS: Mapping[str, Manifest] = {
    "its own host": ingress(OWN, spec={"tls": [{"hosts": [OWN]}]}),
    "its own health check": ingress(OWN, {"alb.ingress.kubernetes.io/healthcheck-path": "/ok"}),
    "a Service": service({"selector": {"a": "b"}}),
    "a pod of its own image": manifest("v1", "Pod", pod(own("tv-api"))),
    "a Deployment of its own image": deployment(own("tv-api")),
    "a CronJob of its own image": cron_job(own("tv-api")),
}


def create(lab: Lab, body: Manifest) -> None:
    """Asks the API server for a creation that it does not carry out; raises KubectlError."""
    text = json.dumps(body).replace("REGISTRY", lab.site.registry_host)
    lab.kubectl("dev")("create", "--dry-run=server", "-f", "-", stdin=text)


@pytest.mark.parametrize(("body", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_manifest_is_refused_and_says_by_what(
    lab: Lab, body: Manifest, said: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        create(lab, body)

    assert said in str(refused.value)
    assert "'acme-dev-" in str(refused.value) or "quota" in said, "it names what refuses"


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_is_its_own_is_not_refused(lab: Lab, body: Manifest) -> None:
    create(lab, body)


def test_a_namespace_of_the_platform_is_not_bound(lab: Lab) -> None:
    body = service({"type": "NodePort"})
    body["metadata"]["namespace"] = "kube-system"

    create(lab, body)
