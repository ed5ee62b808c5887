"""What the API server refuses in the namespaces of services, as ValidatingAdmissionPolicies. Pure.

The expressions are CEL. What was there before a policy stays as it is, so that controllers can
finish and delete it; only what changes is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.kubernetes_objects import matched
from settings.tenancy import Tenant

WORKLOADS = (
    ("", "pods", "pods/ephemeralcontainers", "replicationcontrollers"),
    ("apps", "daemonsets", "deployments", "replicasets", "statefulsets"),
    ("batch", "cronjobs", "jobs"),
)
"""By API group: whatever has containers."""
_ROUTES = ("gateway.networking.k8s.io", "grpcroutes", "httproutes", "tlsroutes")
_TRACKING = "argocd.argoproj.io/tracking-id"
"""Argo CD itself writes it on what it applies; it begins with the Application, which has the name
of the service or package."""
_ANNOTATIONS = "object.metadata.?annotations.orValue({})"
_HARMLESS = (
    "backend-protocol",
    "backend-protocol-version",
    "healthcheck-interval-seconds",
    "healthcheck-path",
    "healthcheck-port",
    "healthcheck-protocol",
    "healthcheck-timeout-seconds",
    "healthy-threshold-count",
    "success-codes",
    "target-group-attributes",
    "unhealthy-threshold-count",
)
"""What an Ingress may tell a load balancer that it shares: how its own pods are asked."""


def policies(tenants: Sequence[Tenant], registry: str) -> dict[str, dict[str, Any]]:
    """The `spec` of each policy by its name; registry: the host of the platform's own."""
    hosts = _by_namespace({tenant.namespace: tenant.hosts for tenant in tenants})
    images = _by_namespace({tenant.namespace: tenant.images for tenant in tenants})
    packages = {tenant.namespace: tenant.packages for tenant in tenants}
    exempt = _of_no_package(_by_namespace(packages)) if any(packages.values()) else []
    made = {
        "ingresses": _ingresses(hosts),
        "routes": _routes(hosts),
        "services": _services(),
        "images": _images(images, registry),
    }
    return {
        name: {**spec, "match_conditions": [*spec["match_conditions"], *exempt]}
        for name, spec in made.items()
    }


def binding(policy: str, tenants: Sequence[Tenant], actions: Sequence[str]) -> dict[str, Any]:
    """The `spec` of the binding of a policy to the namespaces of services."""
    names = [tenant.namespace for tenant in tenants]
    return {
        "policy_name": policy,
        "validation_actions": list(actions),
        "match_resources": matched(namespaces=names),
    }


def _of_no_package(packages: str) -> list[dict[str, str]]:
    """Neither what Argo CD applies of a package, nor what controllers make of that.

    A team's own objects come from Git too, where Argo CD marks them with the team's service.
    """
    application = f"{_ANNOTATIONS}[?'{_TRACKING}'].orValue('')"
    owned = "object.metadata.?ownerReferences.orValue([]).size() > 0"
    made = f"{application} == '' && {packages}.size() > 0 && {owned}"
    applied = f"{application}.split(':')[0] in {packages}"
    return [{"name": "of-no-package", "expression": f"!({applied}) && !({made})"}]


def _ingresses(hosts: str) -> dict[str, Any]:
    return _policy(
        [("networking.k8s.io", "ingresses")],
        variables={
            "hosts": hosts,
            "strange": "object.spec.?rules.orValue([]).map(r, r.?host.orValue('(any)'))"
            ".filter(h, !(h in variables.hosts))",
            "forbidden": f"{_ANNOTATIONS}.filter(k, "
            "k.startsWith('external-dns.') || "
            "k.startsWith('nginx.ingress.kubernetes.io/server-alias') || "
            "k.endsWith('-snippet') || "
            "(k.startsWith('alb.ingress.kubernetes.io/') && "
            f"!(k.substring(26) in {_list(_HARMLESS)})))",
        },
        validations=[
            (
                "variables.strange.size() == 0",
                "'an Ingress here may be for ' + "
                "(variables.hosts.size() > 0 ? variables.hosts.join(', ') : 'no host') + ', not ' "
                "+ variables.strange.join(', ') + "
                "'; a service with ingress: true has <service>.<domain>'",
            ),
            (
                "object.spec.?tls.orValue([]).all(t, "
                "t.?hosts.orValue([]).all(h, h in variables.hosts))",
                "'an Ingress here may have certificates for the hosts of its services alone'",
            ),
            (
                "!has(object.spec.defaultBackend)",
                "'an Ingress here may have no defaultBackend: it would answer for every host'",
            ),
            (
                "variables.forbidden.size() == 0",
                "'an Ingress here may not have the annotations ' + "
                "variables.forbidden.join(', ') + ', which reach beyond its own host'",
            ),
        ],
    )


def _routes(hosts: str) -> dict[str, Any]:
    return _policy(
        [_ROUTES],
        variables={"hosts": hosts, "named": "object.spec.?hostnames.orValue([])"},
        validations=[
            (
                "variables.named.size() > 0 && variables.named.all(h, h in variables.hosts)",
                "'a route here must name hosts, and only of its services: ' + "
                "(variables.hosts.size() > 0 ? variables.hosts.join(', ') : 'none')",
            )
        ],
    )


def _services() -> dict[str, Any]:
    return _policy(
        [("", "services")],
        variables={},
        validations=[
            (
                "object.spec.?type.orValue('ClusterIP') in ['ClusterIP', 'ExternalName']",
                "'a Service here must be of type ClusterIP, not ' + object.spec.type + "
                "'; ingress: true in services.yaml makes it reachable'",
            ),
            (
                "object.spec.?externalIPs.orValue([]).size() == 0",
                "'a Service here may have no externalIPs: it would take the traffic of others'",
            ),
            (
                f"!{_ANNOTATIONS}.exists(k, k.startsWith('external-dns.'))",
                "'a Service here may have no annotations of external-dns: it would take names of "
                "others'",
            ),
        ],
    )


def _images(images: str, registry: str) -> dict[str, Any]:
    return _policy(
        WORKLOADS,
        variables={
            "images": images,
            "now": _containers_of("object"),
            "before": f"oldObject == null ? [] : {_containers_of('oldObject')}",
            "strange": "variables.now.filter(i, !(i in variables.before) && "
            f"!i.startsWith({json.dumps(registry + '/')}) && "
            "!variables.images.exists(r, i.startsWith(r + ':') || i.startsWith(r + '@')))",
        },
        validations=[
            (
                "variables.strange.size() == 0",
                f"'images here come from {registry}' + (variables.images.size() > 0 ? ', ' + "
                "variables.images.join(', ') : '') + ', not ' + variables.strange.join(', ') + "
                "'; images of the namespace in services.yaml adds a repository'",
            )
        ],
    )


def _containers_of(item: str) -> str:
    """CEL: the images of all containers of a pod, or of what makes pods."""
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return " + ".join(f"{_pod_of(item)}.?{kind}.orValue([]).map(c, c.image)" for kind in kinds)


def _pod_of(item: str) -> str:
    """CEL: the `spec` of a pod, or of the pods that something makes."""
    return (
        f"({item}.kind == 'Pod' ? {item}.spec : {item}.kind == 'CronJob' ? "
        f"{item}.spec.jobTemplate.spec.template.spec : {item}.spec.template.spec)"
    )


def _policy(
    resources: Sequence[Sequence[str]],
    *,
    variables: Mapping[str, str],
    validations: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """resources: API group and resources; validations: what must be true, and what is said."""
    changed = f"oldObject.metadata.?annotations.orValue({{}}) != {_ANNOTATIONS}"
    return {
        "failure_policy": "Fail",
        "match_constraints": matched(
            [
                {
                    "api_groups": [group],
                    "api_versions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": list(names),
                }
                for group, *names in resources
            ]
        ),
        "match_conditions": [
            {
                "name": "changed",
                "expression": f"oldObject == null || object.spec != oldObject.spec || {changed}",
            }
        ],
        "variables": [{"name": name, "expression": text} for name, text in variables.items()],
        "validations": [
            {"expression": true, "message_expression": said, "reason": "Forbidden"}
            for true, said in validations
        ],
    }


def _by_namespace(values: Mapping[str, Sequence[str]]) -> str:
    """CEL: the values of the object's namespace."""
    known = {name: list(some) for name, some in sorted(values.items()) if some}
    if not known:
        return "[]"
    table = json.dumps(known)
    return f"{table}[?request.namespace].orValue([])"


def _list(values: Sequence[str]) -> str:
    return json.dumps(list(values))
