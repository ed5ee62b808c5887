"""The Deployment that rolls pods when a secret has another value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

NAME = "secrets-rollout"
"""The Deployment, its ConfigMap and its service account."""
_PROGRAM = Path(__file__).with_name("rotation.py")


def rotation_pod(
    name: str,
    namespace: pulumi.Input[str],
    image: str,
    secrets: Mapping[str, Sequence[str]],
    opts: ResourceOptions,
) -> k8s.apps.v1.Deployment:
    """The program, its service account, and one pod of it.

    image: has Python; secrets: by namespace, the Secrets of services.
    """
    text = _PROGRAM.read_text(encoding="utf-8")
    metadata = k8s.meta.v1.ObjectMetaArgs(name=NAME, namespace=namespace)
    account = k8s.core.v1.ServiceAccount(f"{name}-account", metadata=metadata, opts=opts)
    program = k8s.core.v1.ConfigMap(
        f"{name}-program", metadata=metadata, data={"rotation.py": text}, opts=opts
    )
    labels = {"app.kubernetes.io/name": NAME}
    return k8s.apps.v1.Deployment(
        name,
        metadata=k8s.meta.v1.ObjectMetaArgs(name=NAME, namespace=namespace, labels=labels),
        spec=k8s.apps.v1.DeploymentSpecArgs(
            replicas=1,
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels),
            template=k8s.core.v1.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    labels=labels,
                    # Another program makes another pod.
                    annotations={"checksum/program": hashlib.sha256(text.encode()).hexdigest()},
                ),
                spec=_pod(image, json.dumps(secrets)),
            ),
        ),
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[account, program])),
    )


def _pod(image: str, secrets: str) -> k8s.core.v1.PodSpecArgs:
    core = k8s.core.v1
    container = core.ContainerArgs(
        name=NAME,
        image=image,
        command=["python3", "-u", "/program/rotation.py"],
        env=[core.EnvVarArgs(name="SECRETS", value=secrets)],
        security_context=core.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.CapabilitiesArgs(drop=["ALL"]),
        ),
        resources=core.ResourceRequirementsArgs(
            requests={"cpu": "10m", "memory": "32Mi"}, limits={"memory": "64Mi"}
        ),
        volume_mounts=[core.VolumeMountArgs(name="program", mount_path="/program")],
    )
    return core.PodSpecArgs(
        service_account_name=NAME,
        enable_service_links=False,
        security_context=core.PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=10001,
            seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        containers=[container],
        volumes=[
            core.VolumeArgs(name="program", config_map=core.ConfigMapVolumeSourceArgs(name=NAME))
        ],
    )
