"""Argo CD: its namespace, its secrets and its Helm release."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.argocd import notifications
from components.argocd import values as argocd_values
from components.argocd.values import Installation
from components.helm.release import helm_release
from components.kubernetes_objects import RESTRICTED
from settings.gitops_repository import GitOpsConfig

NAMESPACE = "argocd"
CHART_REPOSITORY = "https://argoproj.github.io/argo-helm"
CHART_VERSION = "10.1.1"
"""Argo CD 3.4.4; the newest chart that was rendered with our values."""
TIMEOUT_SECONDS = 600
"""Nodes that have just joined pull every image before the release is ready."""
PART_OF_ARGOCD = {"app.kubernetes.io/part-of": "argocd"}
"""Argo CD reads only those Secrets of its settings that carry this label."""


@dataclass(frozen=True, kw_only=True)
class ArgoCdArgs:
    """What Argo CD is created from."""

    installation: Installation
    gitops: GitOpsConfig
    secrets: Mapping[str, Output[str]]
    """The secrets that the stack sets, by their names."""
    kubeconfig: Output[str]
    owned_cluster: bool
    """Whether this program made the cluster."""


class ArgoCd(pulumi.ComponentResource):
    """Argo CD of one cluster: everything but its projects and Applications.

    Creates the namespace `argocd`, the Secrets that the chart's values refer to (single sign-on,
    Git webhook, notifications, credentials of the GitOps repository; each as far as the stack sets
    them) and the Helm release. Wants a Kubernetes provider in `opts`. Once `release` is there, so
    are the CRDs of Applications and projects, and the controller that acts on them.
    """

    namespace: Output[str]
    release: k8s.helm.v3.Release
    url: Output[str]

    def __init__(self, name: str, args: ArgoCdArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:ArgoCd", name, None, opts)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": NAMESPACE, "labels": RESTRICTED},
            opts=ResourceOptions(parent=self),
        )
        self.namespace = namespace.metadata.name
        secrets = [
            k8s.core.v1.Secret(
                f"{name}-{purpose}",
                metadata={"name": secret_name, "namespace": self.namespace, "labels": labels},
                string_data=data or None,  # an empty mapping would differ at each run
                opts=ResourceOptions(parent=self),
            )
            for purpose, secret_name, labels, data in _secrets(args.gitops, args.secrets)
        ]
        chart = args.installation.config.chart
        self.release = helm_release(
            f"{name}-release",
            kubeconfig=args.kubeconfig,
            owned=args.owned_cluster,
            release="argocd",
            namespace=self.namespace,
            chart="argo-cd",
            repository=chart.repository or CHART_REPOSITORY,
            version=chart.version or CHART_VERSION,
            values=argocd_values.values(args.installation),
            timeout_seconds=TIMEOUT_SECONDS,
            opts=ResourceOptions(parent=self, depends_on=secrets),
        )
        self.url = Output.from_input(f"https://{args.installation.domain}")
        self.register_outputs({"namespace": self.namespace, "url": self.url})


def _secrets(
    gitops: GitOpsConfig, secrets: Mapping[str, Output[str]]
) -> Iterator[tuple[str, str, Mapping[str, str], Mapping[str, Output[str] | str]]]:
    """Every Secret to make: our name for it, its own name, its labels and its data."""

    def chosen(keys: Collection[str]) -> dict[str, Output[str] | str]:
        return {key: secrets[key] for key in keys if key in secrets}

    yield "settings", argocd_values.SECRET, PART_OF_ARGOCD, chosen(argocd_values.SECRET_KEYS)
    yield "notifications", notifications.SECRET, PART_OF_ARGOCD, chosen(notifications.SECRET_KEYS)
    if credentials := _git_credentials(gitops, secrets):
        labels = {"argocd.argoproj.io/secret-type": "repository"}
        data = {"type": "git", "url": gitops.url, **credentials}
        yield "gitops-repository", "gitops-repository", labels, data


def _git_credentials(
    gitops: GitOpsConfig, secrets: Mapping[str, Output[str]]
) -> dict[str, Output[str] | str]:
    """How Argo CD reads the GitOps repository; nothing where it is open.

    A GitHub App, a deploy key or a token: the settings refuse more than one.
    """
    if app := gitops.github_app:
        return {
            "githubAppID": str(app.id),
            "githubAppInstallationID": str(app.installation),
            "githubAppPrivateKey": secrets["githubAppPrivateKey"],
            **({"githubAppEnterpriseBaseUrl": app.api} if app.api else {}),
        }
    if "gitPrivateKey" in secrets:
        return {"sshPrivateKey": secrets["gitPrivateKey"]}
    if "gitToken" in secrets:
        # Git hosts accept any user name with a token.
        return {"username": "git", "password": secrets["gitToken"]}
    return {}
