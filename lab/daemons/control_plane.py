"""A cluster's control plane: etcd, the API server, the controller manager and the scheduler."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import yaml

from lab.daemon import Daemon, title
from lab.kubernetes_api import cluster_pki, write_kubeconfig
from lab.pki import ADMINISTRATOR
from lab.readiness import http_ok
from lab.site import CHECKOUT, HOST, Site
from lab.state import write_atomically
from lab.toolchain import Toolchain
from settings.loading import load_files


def daemons(site: Site, environment: str, tools: Toolchain) -> tuple[Daemon, ...]:
    """The four daemons of an environment's control plane."""
    services = load_files(environment, CHECKOUT).config.cluster.service_cidr
    return (
        _etcd(site, environment, tools),
        _api_server(site, environment, tools, services),
        _controller_manager(site, environment, tools),
        _scheduler(site, environment, tools),
    )


def _etcd(site: Site, environment: str, tools: Toolchain) -> Daemon:
    client, peer = site.url("etcd", environment), site.url("etcd-peer", environment)
    return Daemon(
        name="etcd",
        environment=environment,
        port=site.port("etcd", environment),
        prepare=lambda: site.cluster_dir(environment).mkdir(parents=True, exist_ok=True),
        ready=http_ok(f"{client}/readyz"),
        command=(
            tools.path("etcd"),
            f"--name={environment}",
            f"--data-dir={site.cluster_dir(environment) / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={environment}={peer}",
            "--log-level=warn",
            # A lab need not survive a power cut, and disks may be slow.
            "--unsafe-no-fsync",
        ),
    )


def _api_server(site: Site, environment: str, tools: Toolchain, services: IPv4Network) -> Daemon:
    pki = cluster_pki(site, environment)
    return Daemon(
        name="apiserver",
        environment=environment,
        port=site.port("apiserver", environment),
        needs=frozenset({title("etcd", environment)}),
        prepare=lambda: _prepare_api_server(site, environment, services),
        ready=http_ok(
            f"{site.url('apiserver', environment, 'https')}/readyz",
            authority=pki.authority,
            token=lambda: pki.token(ADMINISTRATOR),
        ),
        command=(
            tools.path("kube-apiserver"),
            f"--etcd-servers={site.url('etcd', environment)}",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={site.port('apiserver', environment)}",
            f"--tls-cert-file={pki.certificate}",
            f"--tls-private-key-file={pki.key}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.service_account_public_key}",
            f"--service-account-signing-key-file={pki.service_account_key}",
            f"--service-cluster-ip-range={services}",
            f"--token-auth-file={pki.tokens}",
            f"--authentication-token-webhook-config-file={_authenticator(site, environment)}",
            "--authentication-token-webhook-version=v1",
            # A changed access entry takes effect soon.
            "--authentication-token-webhook-cache-ttl=5s",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=true",
            "--allow-privileged=true",
            # Without it the server refuses the loopback address.
            "--endpoint-reconciler-type=none",
        ),
    )


def _prepare_api_server(site: Site, environment: str, services: IPv4Network) -> None:
    """Write its certificate and tokens, the administrator's kubeconfig and the webhook's."""
    pki = cluster_pki(site, environment)
    kubernetes = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    pki.make([IPv4Address(HOST), services[1], "localhost", *kubernetes])
    user = {"token": pki.token(ADMINISTRATOR)}
    write_kubeconfig(site, environment, path=site.admin_kubeconfig(environment), user=user)
    webhook = _webhook(f"{site.url('authenticator')}/{environment}")
    write_atomically(_authenticator(site, environment), yaml.safe_dump(webhook))


def _authenticator(site: Site, environment: str) -> Path:
    return site.cluster_dir(environment) / "authenticator.kubeconfig"


def _controller_manager(site: Site, environment: str, tools: Toolchain) -> Daemon:
    pki = cluster_pki(site, environment)
    return _client(
        site,
        environment,
        tools,
        "controller-manager",
        (
            "--use-service-account-credentials=true",
            f"--root-ca-file={pki.authority}",
            f"--service-account-private-key-file={pki.service_account_key}",
            # Nobody has to wait long for an autoscaler.
            "--horizontal-pod-autoscaler-sync-period=3s",
            "--horizontal-pod-autoscaler-downscale-stabilization=5s",
        ),
    )


def _scheduler(site: Site, environment: str, tools: Toolchain) -> Daemon:
    return _client(site, environment, tools, "scheduler", ())


def _client(
    site: Site, environment: str, tools: Toolchain, name: str, flags: tuple[str, ...]
) -> Daemon:
    """A daemon of the control plane that works through the API server as `system:kube-<name>`."""
    program = f"kube-{name}"
    pki = cluster_pki(site, environment)
    kubeconfig = site.cluster_dir(environment) / f"{program}.kubeconfig"
    return Daemon(
        name=name,
        environment=environment,
        port=site.port(name, environment),
        needs=frozenset({title("apiserver", environment)}),
        prepare=lambda: write_kubeconfig(
            site, environment, path=kubeconfig, user={"token": pki.token(f"system:{program}")}
        ),
        ready=http_ok(f"{site.url(name, environment, 'https')}/healthz", authority=pki.authority),
        command=(
            tools.path(program),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--bind-address={HOST}",
            f"--secure-port={site.port(name, environment)}",
            f"--tls-cert-file={pki.certificate}",
            f"--tls-private-key-file={pki.key}",
            "--leader-elect=false",
            *flags,
        ),
    )


def _webhook(url: str) -> dict[str, object]:
    """How the API server reaches the lab's authenticator."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "authenticator",
        "clusters": [{"name": "authenticator", "cluster": {"server": url}}],
        "contexts": [
            {"name": "authenticator", "context": {"cluster": "authenticator", "user": "apiserver"}}
        ],
        "users": [{"name": "apiserver", "user": {}}],
    }
