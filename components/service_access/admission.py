"""Admission policies that keep services of one namespace apart. Pure.

A service's Secrets are called `<service>.<name>`, its Application and its service account as the
service itself, so the name of an object says whose it is. Kinds that are not Kubernetes' own and
make pods, such as Rollout, are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.kubernetes_objects import matched

Services = Mapping[str, Sequence[str]]
"""By namespace, names of services; both sorted."""
TRACKING = "argocd.argoproj.io/tracking-id"
"""What Argo CD writes on each object that it applies; it begins with the Application's name."""
_WORKLOADS = {
    "": ["pods", "replicationcontrollers"],
    "apps": ["daemonsets", "deployments", "replicasets", "statefulsets"],
    "batch": ["cronjobs", "jobs"],
}


def accounts_spec(services: Services) -> dict[str, Any]:
    """A service account is taken by its own service alone.

    Argo CD applies a workload with it only for the Application of that name; a pod that has a
    service account's token makes workloads only with that one.
    """
    user = "request.userInfo.username.split(':')"
    return {
        "failure_policy": "Fail",
        "match_constraints": matched(
            [_rule(group, kinds, ["CREATE", "UPDATE"]) for group, kinds in _WORKLOADS.items()],
            [*services],
        ),
        "variables": [
            _guarded(services),
            {
                "name": "spec",
                "expression": "object.kind == 'Pod' ? object.spec : object.kind == 'CronJob' ? "
                "object.spec.jobTemplate.spec.template.spec : object.spec.template.spec",
            },
            _account("variables.spec"),
            {
                "name": "application",
                "expression": "has(object.metadata.annotations) && "
                f"'{TRACKING}' in object.metadata.annotations ? "
                f"object.metadata.annotations['{TRACKING}'].split(':')[0] : variables.account",
            },
            {
                "name": "maker",
                "expression": "request.userInfo.username.startsWith("
                "'system:serviceaccount:' + request.namespace + ':') ? "
                f"{user}[3] : variables.account",
            },
        ],
        "validations": [
            {
                "expression": "!(variables.account in variables.guarded) || "
                "(variables.application == variables.account && "
                "variables.maker == variables.account)",
                "message_expression": "'the service account ' + variables.account + ' has secrets "
                "or rights in AWS, and belongs to the service of that name alone'",
            }
        ],
    }


def pods_spec(services: Services) -> dict[str, Any]:
    """A pod reads the Secrets of the service whose service account it has."""
    return {
        "failure_policy": "Fail",
        "match_constraints": matched(
            [
                _rule("", ["pods"], ["CREATE"]),
                _rule("", ["pods/ephemeralcontainers"], ["UPDATE"]),
            ],
            [*services],
        ),
        "variables": [_guarded(services), _account("object.spec")],
        "validations": [
            {
                "expression": expression,
                "message_expression": "'a pod of the service account ' + variables.account + "
                "' names a Secret of another service'",
            }
            for expression in _places()
        ],
    }


def external_secrets_spec(services: Services) -> dict[str, Any]:
    """An ExternalSecret asks the store of the service that its name says, into that name."""
    own = "object.metadata.name.split('.')[0]"
    store = "(!has({0}.kind) || {0}.kind == 'SecretStore') && {0}.name == " + own
    listed = (
        "!has(object.spec.{0}) || object.spec.{0}.all(one, !has(one.sourceRef) || "
        "(!has(one.sourceRef.generatorRef) && (!has(one.sourceRef.storeRef) || ("
        + store.format("one.sourceRef.storeRef")
        + "))))"
    )
    return {
        "failure_policy": "Fail",
        "match_constraints": matched(
            [_rule("external-secrets.io", ["externalsecrets"], ["CREATE", "UPDATE"], "*")],
            [*services],
        ),
        "validations": [
            {
                "expression": f"!has(object.spec.secretStoreRef) || "
                f"({store.format('object.spec.secretStoreRef')})",
                "message": "an ExternalSecret takes from the SecretStore that its own name begins "
                "with: <service>.<name>",
            },
            *(
                {
                    "expression": listed.format(field),
                    "message": "an ExternalSecret takes from no other source than the SecretStore "
                    "of its service",
                }
                for field in ("data", "dataFrom")
            ),
            {
                "expression": "!has(object.spec.target) || !has(object.spec.target.name) || "
                "object.spec.target.name == object.metadata.name",
                "message": "an ExternalSecret makes the Secret of its own name",
            },
            {
                "expression": "!has(object.spec.target) || !has(object.spec.target.template) || "
                "!has(object.spec.target.template.templateFrom) || "
                "object.spec.target.template.templateFrom.all(one, !has(one.secret))",
                "message": "a template of an ExternalSecret reads no other Secret",
            },
        ],
    }


def _places() -> Iterator[str]:
    """Each place of a pod that may name a Secret, as a condition."""
    for containers in ("containers", "initContainers", "ephemeralContainers"):
        field = f"object.spec.{containers}"
        yield (
            f"!has({field}) || {field}.all(c, (!has(c.env) || c.env.all(e, !has(e.valueFrom) || "
            f"!has(e.valueFrom.secretKeyRef) || {_own('e.valueFrom.secretKeyRef.name')})) && "
            f"(!has(c.envFrom) || c.envFrom.all(e, !has(e.secretRef) || "
            f"{_own('e.secretRef.name')})))"
        )
    volumes = "object.spec.volumes"
    yield (
        f"!has({volumes}) || {volumes}.all(v, "
        f"(!has(v.secret) || !has(v.secret.secretName) || {_own('v.secret.secretName')}) && "
        "(!has(v.projected) || !has(v.projected.sources) || v.projected.sources.all(s, "
        f"!has(s.secret) || {_own('s.secret.name')})) && "
        "(!has(v.csi) || !has(v.csi.nodePublishSecretRef) || "
        f"{_own('v.csi.nodePublishSecretRef.name')}))"
    )


def _own(name: str) -> str:
    """Whether a Secret of that name is of no service, or of the pod's own."""
    service = f"{name}.split('.')[0]"
    return (
        f"(!{name}.contains('.') || !({service} in variables.guarded) || "
        f"{service} == variables.account)"
    )


def _guarded(services: Services) -> dict[str, str]:
    """The services of the namespace that an object is in, as a variable."""
    table = json.dumps({namespace: list(names) for namespace, names in services.items()})
    return {"name": "guarded", "expression": f"{table}[request.namespace]"}


def _account(spec: str) -> dict[str, str]:
    return {
        "name": "account",
        "expression": f"has({spec}.serviceAccountName) ? {spec}.serviceAccountName : 'default'",
    }


def _rule(
    group: str, resources: list[str], operations: list[str], version: str = "v1"
) -> dict[str, Any]:
    return {
        "api_groups": [group],
        "api_versions": [version],
        "operations": operations,
        "resources": resources,
    }
