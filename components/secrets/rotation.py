"""Rolls the pods of a service when one of its secrets has another value.

Runs in the cluster, with Python's standard library alone. SECRETS in its environment is JSON: by
namespace, the names of the Secrets that belong to services. Each workload keeps in an annotation
what it has seen of them, so nothing is missed while this program is away, and a workload that is
new, or that gets a further secret, is not rolled. What is kept tells nothing of a value.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ACCOUNT = Path(os.environ.get("ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
PAUSE_SECONDS = 10
SEEN = "secrets-rollout/seen"
"""Of a workload: JSON, by the name of a Secret, what it was."""
CHANGED = "secrets-rollout/changed"
"""Of its pods: another text makes new ones."""
KINDS = ("deployments", "statefulsets")
NOT_FOUND = 404
Object = dict[str, Any]
Call = Callable[[str, str, Object | None], Object | None]
"""Method, path and body to the answer; None where there is no such thing."""


def roll(call: Call, namespace: str, known: frozenset[str]) -> Iterator[str]:
    """Look at each workload of a namespace once, and tell of those that were rolled.

    known: the Secrets that belong to services.
    """
    marks: dict[str, str | None] = {}

    def mark_of(secret: str) -> str | None:
        if secret not in marks:
            found = call("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret}", None)
            marks[secret] = mark(found) if found else None
        return marks[secret]

    for kind in KINDS:
        path = f"/apis/apps/v1/namespaces/{namespace}/{kind}"
        for workload in (call("GET", path, None) or {}).get("items", ()):
            used = used_secrets(workload["spec"]["template"]["spec"]) & known
            there = {name: found for name in sorted(used) if (found := mark_of(name))}
            if change := change_of(workload, there, used):
                name = workload["metadata"]["name"]
                call("PATCH", f"{path}/{name}", change)
                if "spec" in change:
                    yield f"{namespace}: {kind} {name} is rolled: a secret has another value"


def change_of(workload: Object, there: Mapping[str, str], used: frozenset[str]) -> Object | None:
    """What to change of a workload, whose Secrets are what `there` says; None for nothing."""
    text = (workload["metadata"].get("annotations") or {}).get(SEEN, "{}")
    seen = {name: mark for name, mark in json.loads(text).items() if name in used}
    now = {**seen, **there}
    if now == json.loads(text):
        return None
    change: Object = {"metadata": {"annotations": {SEEN: json.dumps(now, sort_keys=True)}}}
    if any(now[name] != mark for name, mark in seen.items()):
        both = hashlib.sha256(json.dumps(now, sort_keys=True).encode()).hexdigest()[:16]
        change["spec"] = {"template": {"metadata": {"annotations": {CHANGED: both}}}}
    return change


def mark(secret: Object) -> str:
    """A text that changes with the Secret's values; without its UID nobody can guess them."""
    content = json.dumps(secret.get("data") or {}, sort_keys=True)
    key = secret["metadata"]["uid"].encode()
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()[:16]


def used_secrets(pod: Object) -> frozenset[str]:
    """The Secrets that a pod's containers and volumes name."""
    return frozenset(name for name in _named(pod) if name)


def _named(pod: Object) -> Iterator[str]:
    for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
        for variable in container.get("env", ()):
            yield variable.get("valueFrom", {}).get("secretKeyRef", {}).get("name", "")
        for source in container.get("envFrom", ()):
            yield source.get("secretRef", {}).get("name", "")
    for volume in pod.get("volumes", ()):
        yield volume.get("secret", {}).get("secretName", "")
        for source in volume.get("projected", {}).get("sources", ()):
            yield source.get("secret", {}).get("name", "")


def ask(method: str, path: str, body: Object | None) -> Object | None:
    """One call to the Kubernetes API, with this pod's own account."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    request = Request(
        f"https://{f'[{host}]' if ':' in host else host}:{port}{path}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
            "Content-Type": "application/merge-patch+json",
        },
    )
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        with urlopen(request, timeout=30, context=trusted) as answer:  # noqa: S310
            found: Object = json.load(answer)
            return found
    except HTTPError as error:
        if error.code == NOT_FOUND:
            return None
        said = error.read().decode("utf-8", "replace")[:300]
        raise OSError(f"{method} {path}: {error.code} {said}") from error


def main(environ: Mapping[str, str], call: Call) -> None:
    """Look at every namespace once; one that does not answer holds up no other."""
    for namespace, names in sorted(json.loads(environ["SECRETS"]).items()):
        try:
            for line in roll(call, namespace, frozenset(names)):
                print(line, flush=True)
        except OSError as trouble:
            print(f"{namespace}: {trouble}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    while True:
        main(os.environ, ask)
        time.sleep(PAUSE_SECONDS)
