"""What runs first in every pod of a service with `migrate`: waits until its version has migrated.

The Job of a version is named after the digest of its image. Whichever pod comes first makes it,
from its own container; all wait for it. Its own pod is the only source, so this works however the
pod came to be: rolled by Keel, synced by Argo CD or taken back. It runs in the cluster, with
Python's standard library alone, and finds SERVICE, NAMESPACE, POD, COMMAND (JSON) and MINUTES in
its environment.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
KEPT = 50
"""So many versions are remembered: a rollback to one of them migrates nothing."""
SHOWS_THE_IMAGE = "image"
"""The container that has run before, where only it knows what a moving tag is."""
NOT_FOUND, CONFLICT = 404, 409
Object = dict[str, Any]
Call = Callable[[str, str, Object | None], Object | None]
"""Method, path and body to the answer; None where there is no such thing, or there is already."""


class Unclear(Exception):  # noqa: N818 - what is not known yet
    """The pod does not tell yet what it runs."""


def main(environ: Mapping[str, str], call: Call, pause: float = 2) -> int:
    """0 once the version of this pod has migrated, 1 where that failed."""
    namespace, service = environ["NAMESPACE"], environ["SERVICE"]
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    pod = call("GET", f"/api/v1/namespaces/{namespace}/pods/{environ['POD']}", None) or {}
    name = f"{service}-migrate-{digest(pod, service)[len('sha256:') :][:10]}"
    while True:
        job = call("GET", f"{jobs}/{name}", None)
        if job is None:
            print(f"{name}: migrating", flush=True)
            call("POST", jobs, wanted(pod, name, environ))
        ended = outcome(job or {})
        if ended == "Complete":
            forget(call, jobs, service, name)
            print(f"{name}: done", flush=True)
            return 0
        if ended == "Failed":
            kubectl = f"kubectl --namespace {namespace}"
            print(
                f"{name}: FAILED, so this version does not start; the one before goes on. What it "
                f"said: {kubectl} logs job/{name}. Mend it with a new version, or try this one "
                f"again: {kubectl} delete job {name}",
                flush=True,
            )
            return 1
        time.sleep(pause)


def digest(pod: Object, service: str) -> str:
    """What the pod runs, by its specification or, behind a moving tag, by what ran already."""
    image = own(pod, service)["image"]
    seen = [
        status.get("imageID", "")
        for status in pod.get("status", {}).get("initContainerStatuses", ())
        if status["name"] == SHOWS_THE_IMAGE
    ]
    for text in (image, *seen):
        if found := re.search(r"sha256:[0-9a-f]{64}$", text):
            return found[0]
    raise Unclear(f"the digest of {image} is not known yet")


def own(pod: Object, service: str) -> Object:
    """The container that is called as the service."""
    try:
        return next(c for c in pod["spec"]["containers"] if c["name"] == service)
    except (KeyError, StopIteration) as error:
        raise Unclear(f"the pod has no container {service}") from error


def wanted(pod: Object, name: str, environ: Mapping[str, str]) -> Object:
    """The Job of this pod's version: the service's container with another command."""
    service, spec = environ["SERVICE"], pod["spec"]
    container = own(pod, service)
    repository = re.sub(r"(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$", "", container["image"])
    mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
    labels = {"app.kubernetes.io/name": f"{service}-migrate"}
    like_the_pod = ("imagePullSecrets", "nodeSelector", "securityContext", "tolerations")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            # One attempt: whether a half-done one may be repeated, a person decides.
            "backoffLimit": 0,
            "activeDeadlineSeconds": int(environ["MINUTES"]) * 60,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **{key: spec[key] for key in like_the_pod if key in spec},
                    "restartPolicy": "Never",
                    "serviceAccountName": spec["serviceAccountName"],
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "containers": [
                        {
                            **{
                                key: container[key]
                                for key in ("env", "envFrom", "resources", "securityContext")
                                if key in container
                            },
                            "name": service,
                            "image": f"{repository}@{digest(pod, service)}",
                            "command": json.loads(environ["COMMAND"]),
                            "volumeMounts": container.get("volumeMounts", []),
                        }
                    ],
                    "volumes": [v for v in spec.get("volumes", ()) if v["name"] in mounted],
                },
            },
        },
    }


def outcome(job: Object) -> str:
    """`Complete`, `Failed`, or nothing while it goes on."""
    conditions = job.get("status", {}).get("conditions", ())
    ended = [c["type"] for c in conditions if c["status"] == "True"]
    return next((kind for kind in ended if kind in ("Complete", "Failed")), "")


def forget(call: Call, jobs: str, service: str, name: str) -> None:
    """Deletes what ended long ago, so that Jobs do not pile up."""
    label = f"app.kubernetes.io%2Fname%3D{service}-migrate"
    found = call("GET", f"{jobs}?labelSelector={label}", None) or {}
    ended = [j["metadata"] for j in found.get("items", ()) if outcome(j)]
    newest_first = sorted(ended, key=lambda one: one["creationTimestamp"], reverse=True)
    for old in newest_first[KEPT:]:
        if old["name"] != name:
            call("DELETE", f"{jobs}/{old['name']}?propagationPolicy=Background", None)


def ask(method: str, path: str, body: Object | None) -> Object | None:
    """One call to the Kubernetes API, with this pod's own account."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    request = Request(
        f"https://{f'[{host}]' if ':' in host else host}:{port}{path}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
            "Content-Type": "application/json",
        },
    )
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        with urlopen(request, timeout=30, context=trusted) as answer:  # noqa: S310
            found: Object = json.load(answer)
            return found
    except HTTPError as error:
        if error.code in (NOT_FOUND, CONFLICT):
            return None
        said = error.read().decode("utf-8", "replace")[:300]
        raise OSError(f"{method} {path}: {error.code} {said}") from error


if __name__ == "__main__":
    while True:
        try:
            sys.exit(main(os.environ, ask))
        except (Unclear, OSError) as trouble:
            print(f"waiting: {trouble}", flush=True)
            time.sleep(5)
