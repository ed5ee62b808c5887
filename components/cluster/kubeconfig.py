"""The kubeconfig of a cluster; it has no secret."""

from __future__ import annotations

import json


def kubeconfig(
    *,
    cluster: str,
    endpoint: str,
    certificate_authority: str,
    region: str,
    profile: str | None = None,
    role: str | None = None,
) -> str:
    """A kubeconfig as JSON, which is YAML; every token comes from `aws eks get-token`.

    certificate_authority: PEM in base64, as EKS gives it. region, profile and role (an ARN) are
    those that Pulumi uses: the token must not depend on the shell.
    """
    command = ["--region", region, "eks", "get-token", "--cluster-name", cluster]
    if role:
        command += ["--role-arn", role]
    if profile:
        command += ["--profile", profile]
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": [*command, "--output", "json"],
            "env": None,
            "interactiveMode": "IfAvailable",  # a profile may ask for a one-time password
            "provideClusterInfo": False,
        }
    }
    place = {"server": endpoint, "certificate-authority-data": certificate_authority}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": cluster,
            "clusters": [{"name": cluster, "cluster": place}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
            "users": [{"name": cluster, "user": user}],
        },
        indent=2,
    )
