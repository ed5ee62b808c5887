"""The environment and arguments of a pod's container, resolved as a kubelet resolves them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
Lookup = Callable[[str, str], Object | None]
"""The object of a kind (`configmaps`, `secrets`) and a name in the pod's namespace, or None."""


class UnresolvedError(Exception):
    """A pod cannot start yet; the message names the object that is missing."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A Deployment or StatefulSet and the first container of its pods, or a pod and one of its own.

    `pod` is the name of the pod.
    """

    name: str
    pod: str
    namespace: str
    replicas: int
    service_account: str
    container: Object
    revision: str
    """Changes exactly when the pod template does."""

    @classmethod
    def of(cls, body: Object) -> Workload:
        spec = body["spec"]
        template = spec["template"]
        pod = template["spec"]
        return cls(
            name=body["metadata"]["name"],
            pod=f"{body['metadata']['name']}-0",
            namespace=body["metadata"]["namespace"],
            replicas=spec.get("replicas", 1),
            service_account=pod.get("serviceAccountName", "default"),
            container=pod["containers"][0],
            revision=hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:12],
        )

    @classmethod
    def of_pod(cls, body: Object, container: Object) -> Workload:
        """One container of a pod that exists."""
        metadata = body["metadata"]
        return cls(
            name=metadata["name"],
            pod=metadata["name"],
            namespace=metadata["namespace"],
            replicas=1,
            service_account=body["spec"].get("serviceAccountName", "default"),
            container=container,
            revision=metadata["uid"],
        )


def variables(workload: Workload, lookup: Lookup) -> dict[str, str]:
    """The container's environment variables: `envFrom` first, then `env` over it.

    Raises UnresolvedError when a map, a secret or a key is missing and not optional.
    """
    resolved: dict[str, str] = {}
    for source in workload.container.get("envFrom", ()):
        for field, kind in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if reference := source.get(field):
                prefix = source.get("prefix", "")
                found = content(kind, reference, lookup) or {}
                resolved |= {f"{prefix}{name}": value for name, value in found.items()}
    for entry in workload.container.get("env", ()):
        value = _value(workload, entry, lookup)
        if value is not None:
            resolved[entry["name"]] = expand(value, resolved)
    return resolved


def arguments(workload: Workload, environment: Mapping[str, str]) -> list[str]:
    """The words behind the program's name in the container's command and arguments."""
    command = list(workload.container.get("command", ()))
    words = [*command[1:], *workload.container.get("args", ())]
    if not command and words and words[0].startswith("/"):
        # No command, so the image's entry point runs it: the first word names the program.
        del words[0]
    return [expand(word, environment) for word in words]


def expand(text: str, environment: Mapping[str, str]) -> str:
    """`$(NAME)` is replaced if NAME is known; `$$(NAME)` becomes the text `$(NAME)`."""
    return re.sub(
        r"\$(\$?)\(([\w.-]+)\)",
        lambda match: f"$({match[2]})" if match[1] else environment.get(match[2], match[0]),
        text,
    )


def _value(workload: Workload, entry: Object, lookup: Lookup) -> str | None:
    """An entry of `env`; None when it refers to something optional that is missing."""
    if "valueFrom" not in entry:
        return str(entry.get("value", ""))
    source = entry["valueFrom"]
    for field, kind in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if reference := source.get(field):
            found = content(kind, reference, lookup)
            if found is None or reference["key"] not in found:
                if reference.get("optional"):
                    return None
                raise UnresolvedError(
                    f"{entry['name']} needs the key {reference['key']} in "
                    f"{kind.removesuffix('s')} {reference['name']}"
                )
            return found[reference["key"]]
    if reference := source.get("fieldRef"):
        return _field(workload, reference["fieldPath"])
    raise UnresolvedError(f"{entry['name']} is of a kind that the lab does not support: {source}")


def _field(workload: Workload, path: str) -> str:
    known = {
        "metadata.namespace": workload.namespace,
        "metadata.name": workload.pod,
        "spec.serviceAccountName": workload.service_account,
        "spec.nodeName": "node-1",
        "status.podIP": "127.0.0.1",
    }
    if path not in known:
        raise UnresolvedError(f"the lab does not support the field {path}")
    return known[path]


def content(kind: str, reference: Object, lookup: Lookup) -> dict[str, str] | None:
    """The data of a ConfigMap or Secret; None if it is missing and optional."""
    found = lookup(kind, reference["name"])
    if found is None:
        if reference.get("optional") or "key" in reference:
            return None
        raise UnresolvedError(f"{kind.removesuffix('s')} {reference['name']} does not exist")
    data: Mapping[str, str] = found.get("data") or {}
    if kind == "secrets":
        return {
            key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()
        }
    return dict(data)
