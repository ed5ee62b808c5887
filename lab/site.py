"""The folders, ports and addresses of one lab."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from settings.files import ROOT, stack_files
from settings.problems import UserError

CHECKOUT = ROOT
HOST = "127.0.0.1"

SHARED_PORTS = (
    "aws",
    "registry",
    "git",
    "charts",
    "authenticator",
    "webhook-receiver",
    "identity-provider",
    "names",
)
CLUSTER_PORTS = (
    "etcd",
    "etcd-peer",
    "apiserver",
    "controller-manager",
    "scheduler",
    "kwok",
    "redis",
    "argocd-server",
    "argocd-server-metrics",
    "argocd-repo-server",
    "argocd-repo-server-metrics",
    "argocd-controller-metrics",
    "argocd-notifications-metrics",
    "external-secrets",
    "metrics",
    "external-dns",
    "load-balancer",
    "load-balancer-tls",
)
KEEL_PORT = 9300
"""The port that is compiled into Keel."""


@dataclass(frozen=True)
class Site:
    """One lab on this machine: its state is in `home`, its ports count up from `port_base`."""

    home: Path = CHECKOUT / ".lab"
    port_base: int = 21000

    @classmethod
    def from_environment(cls) -> Site:
        """The lab that LAB_HOME and LAB_PORT_BASE name, or the one of this checkout.

        Raises UserError for a LAB_HOME that has this checkout in it.
        """
        home = Path(os.environ.get("LAB_HOME", CHECKOUT / ".lab")).resolve()
        if CHECKOUT.is_relative_to(home):
            raise UserError(
                f"LAB_HOME is {home}, which has this checkout in it, and `make clean` deletes that "
                "folder; name a folder for the lab alone"
            )
        return cls(home, int(os.environ.get("LAB_PORT_BASE", "21000")))

    @property
    def environments(self) -> tuple[str, ...]:
        """One cluster for each committed stack file."""
        return tuple(stack_files(CHECKOUT))

    def port(self, name: str, environment: str | None = None) -> int:
        """The port of that name: one that all share, or one of an environment's cluster."""
        if environment is None:
            return self.port_base + SHARED_PORTS.index(name)
        cluster = self.environments.index(environment)
        return self.port_base + 100 * (cluster + 1) + CLUSTER_PORTS.index(name)

    def url(self, name: str, environment: str | None = None, scheme: str = "http") -> str:
        return f"{scheme}://{HOST}:{self.port(name, environment)}"

    @property
    def registry_host(self) -> str:
        return f"{HOST}:{self.port('registry')}"

    @property
    def gitops_url(self) -> str:
        return f"{self.url('git')}/acme/gitops.git"

    def logs(self) -> Path:
        return self.home / "logs"

    def cluster_dir(self, environment: str) -> Path:
        return self.home / "clusters" / environment

    def authority_of_names(self, environment: str) -> Path:
        """Whom clients of the environment's load balancer trust."""
        return self.home / "load-balancers" / f"{environment}.crt"

    def admin_kubeconfig(self, environment: str) -> Path:
        """The lab's own administrator; the program never uses it."""
        return self.cluster_dir(environment) / "admin.kubeconfig"

    def certificate_authority(self, environment: str) -> Path:
        return self.cluster_dir(environment) / "pki" / "ca.crt"

    def aws_credentials(self, environment: str) -> Path:
        """AWS_* variables of the environment's platform role, one `NAME=value` a line."""
        return self.home / "aws" / f"{environment}.env"

    @property
    def aws_calls(self) -> Path:
        """The record of calls to the lab's AWS, one JSON object a line."""
        return self.home / "aws" / "calls.jsonl"

    @property
    def checked_roles(self) -> Path:
        """Names of the roles whose IAM policies are enforced, one a line; may be absent."""
        return self.home / "aws" / "checked-roles"

    @property
    def git_repositories(self) -> Path:
        """The bare repositories, as `owner/name.git`."""
        return self.home / "git" / "repositories"

    @property
    def git_token(self) -> Path:
        """The token for pushes, of the user `lab`."""
        return self.home / "git" / "token"

    @property
    def gitops_checkout(self) -> Path:
        return self.home / "gitops"
