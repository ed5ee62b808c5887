"""The programs that the process kubelet runs, and what each needs outside a container.

The name of a pod's first container chooses the program. It gets everything that the pod template
says. This module adds only what differs outside a cluster: ports, folders, addresses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.readiness import Condition, http_ok, listening
from lab.site import CHECKOUT, HOST, KEEL_PORT, Site
from lab.toolchain import Toolchain

NAMESPACES = ("argocd", "external-dns", "external-secrets", "keel")
"""The namespaces whose pods are run."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to run one program on this machine.

    Attributes:
        tool: its name in the toolchain, or PYTHON.
        flags: added after the pod's own arguments, which they override.
        variables: environment variables, which override the pod's own.
        port: where it listens, if it does.
        ready: when it counts as ready.
        folders: created in the process's folder before it starts.
        identity: whether it calls AWS with the role of its service account.
    """

    tool: str
    flags: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    ready: Condition
    folders: tuple[str, ...] = ()
    identity: bool = False


PYTHON = "python"
"""The interpreter that runs this."""


def programs(site: Site, environment: str) -> dict[str, Program]:
    """The programs of one environment by container name."""
    redis = site.port("redis", environment)
    return {
        "redis": Program(
            tool="redis-server",
            flags=("--port", str(redis), "--bind", HOST, "--dir", "."),
            port=redis,
            ready=listening(redis),
        ),
        **_argo_cd(site, environment),
        **_secrets(site, environment),
        "external-dns": _names(site, environment),
        "keel": Program(
            tool="keel",
            flags=("--no-incluster", "--kubeconfig=kubeconfig"),
            variables={"XDG_DATA_HOME": "data", "INSECURE_REGISTRY": "true"},
            port=KEEL_PORT,
            ready=http_ok(f"http://{HOST}:{KEEL_PORT}/healthz"),
            folders=("data",),
        ),
    }


def _names(site: Site, environment: str) -> Program:
    """external-dns."""
    port = site.port("external-dns", environment)
    return Program(
        tool="external-dns",
        flags=(f"--metrics-address={HOST}:{port}", "--kubeconfig=kubeconfig"),
        variables={"AWS_ENDPOINT_URL": site.url("aws")},
        port=port,
        ready=http_ok(f"http://{HOST}:{port}/healthz"),
        identity=True,
    )


def _secrets(site: Site, environment: str) -> dict[str, Program]:
    """External Secrets, and the program that rolls pods."""
    port = site.port("external-secrets", environment)
    return {
        "external-secrets": Program(
            tool="external-secrets",
            flags=(f"--metrics-addr={HOST}:{port}",),
            variables={
                "AWS_SECRETSMANAGER_ENDPOINT": site.url("aws"),
                "AWS_STS_ENDPOINT": site.url("aws"),
            },
            port=port,
            ready=http_ok(f"http://{HOST}:{port}/metrics"),
            identity=True,
        ),
        "secrets-rollout": Program(
            tool=PYTHON,
            flags=(),
            variables={
                "ACCOUNT": ".",
                "KUBERNETES_SERVICE_HOST": HOST,
                "KUBERNETES_SERVICE_PORT": str(site.port("apiserver", environment)),
            },
            ready=lambda: None,
        ),
    }


_ARGO_CD = {
    # The cluster called in-cluster is the one of the kubeconfig.
    "ARGOCD_FAKE_IN_CLUSTER": "true",
    "ARGOCD_TLS_DATA_PATH": "tls",
    "ARGOCD_SSH_DATA_PATH": "ssh",
    "ARGOCD_GPG_ENABLED": "false",
}


def _argo_cd(site: Site, environment: str) -> dict[str, Program]:
    def port(name: str) -> int:
        return site.port(name, environment)

    def healthy(name: str, path: str = "/healthz") -> Condition:
        return http_ok(f"{site.url(name, environment)}{path}")

    return {
        "application-controller": Program(
            tool="argocd-application-controller",
            flags=(f"--metrics-port={port('argocd-controller-metrics')}",),
            # One process does the work of all replicas.
            variables={**_ARGO_CD, "ARGOCD_CONTROLLER_REPLICAS": "1"},
            port=port("argocd-controller-metrics"),
            ready=healthy("argocd-controller-metrics"),
            folders=("tls", "ssh"),
        ),
        "repo-server": Program(
            tool="argocd-repo-server",
            flags=(
                f"--address={HOST}",
                f"--port={port('argocd-repo-server')}",
                f"--metrics-address={HOST}",
                f"--metrics-port={port('argocd-repo-server-metrics')}",
            ),
            variables=_ARGO_CD,
            port=port("argocd-repo-server"),
            ready=healthy("argocd-repo-server-metrics"),
            folders=("tls", "ssh"),
        ),
        "server": Program(
            tool="argocd-server",
            # It serves plain HTTP, as behind a load balancer. The Go module has no web pages.
            flags=(
                "--insecure",
                "--staticassets=pages",
                f"--address={HOST}",
                f"--port={port('argocd-server')}",
                f"--metrics-port={port('argocd-server-metrics')}",
            ),
            variables=_ARGO_CD,
            port=port("argocd-server"),
            ready=healthy("argocd-server"),
            folders=("tls", "ssh", "pages"),
        ),
        "notifications-controller": Program(
            tool="argocd-notifications",
            flags=(f"--metrics-port={port('argocd-notifications-metrics')}",),
            variables=_ARGO_CD,
            port=port("argocd-notifications-metrics"),
            ready=healthy("argocd-notifications-metrics", "/metrics"),
            folders=("tls", "ssh"),
        ),
    }


def addresses(site: Site, environment: str) -> dict[str, str]:
    """Cluster addresses, which nothing resolves here, with those of the processes, and files of
    ConfigMaps, which nothing mounts."""
    services = {
        "argocd-repo-server:8081": site.port("argocd-repo-server", environment),
        "argocd-redis:6379": site.port("redis", environment),
    }
    files = {"/program/rotation.py": CHECKOUT / "components" / "secrets" / "rotation.py"}
    return {
        **{address: f"{HOST}:{port}" for address, port in services.items()},
        **{mounted: str(file) for mounted, file in files.items()},
    }


def base_environment(site: Site, tools: Toolchain, folder: Path) -> dict[str, str]:
    """The environment variables that every process gets. They override those of its pod."""
    return {
        # Another lab that needs the same port finds this lab by it.
        "LAB_HOME": str(site.home),
        "PATH": f"{tools.search_path()}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "KUBECONFIG": str(folder / "kubeconfig"),
        "NO_PROXY": HOST,
    }
