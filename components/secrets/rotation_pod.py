"""The Deployment that rolls pods when a secret has another value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.images import PYTHON

NAME = "secrets-rollout"
"""The Deployment, its ConfigMap and its service account."""
_PROGRAM = Path(__file__).with_name("rotation.py")


def rotation_pod(
    name: str,
    namespace: pulumi.Input[str],
    secrets: Mapping[str, Sequence[str]],
    opts: ResourceOptions,
) -> k8s.apps.v1.Deployment:
    """The program, its service account, and one pod of it.

    secrets: by namespace, the Secrets of services.
    """
    text = _PROGRAM.read_text(encoding="utf-8")
    metadata = {"name": NAME, "namespace": namespace}
    account = k8s.core.v1.ServiceAccount(f"{name}-account", metadata=metadata, opts=opts)
    program = k8s.core.v1.ConfigMap(
        f"{name}-program", metadata=metadata, data={"rotation.py": text}, opts=opts
    )
    labels = {"app.kubernetes.io/name": NAME}
    return k8s.apps.v1.Deployment(
        name,
        metadata={**metadata, "labels": labels},
        spec={
            "replicas": 1,
            "selector": {"match_labels": labels},
            "template": {
                "metadata": {
                    "labels": labels,
                    # Another program makes another pod.
                    "annotations": {"checksum/program": hashlib.sha256(text.encode()).hexdigest()},
                },
                "spec": _pod(json.dumps(secrets, sort_keys=True)),
            },
        },
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[account, program])),
    )


def _pod(secrets: str) -> dict[str, object]:
    return {
        "service_account_name": NAME,
        "enable_service_links": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": 10001,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": NAME,
                "image": PYTHON,
                "command": ["python3", "-u", "/program/rotation.py"],
                "env": [{"name": "SECRETS", "value": secrets}],
                "security_context": {
                    "allow_privilege_escalation": False,
                    "read_only_root_filesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"memory": "64Mi"},
                },
                "volume_mounts": [{"name": "program", "mount_path": "/program"}],
            }
        ],
        "volumes": [{"name": "program", "config_map": {"name": NAME}}],
    }
