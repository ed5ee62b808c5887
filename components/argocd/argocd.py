"""Argo CD: its namespace, its secrets and its Helm release."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.argocd import notifications
from components.argocd import values as argocd_values
from components.cluster.cluster import Cluster
from components.helm.release import helm_release
from components.pod_security import RESTRICTED
from settings import Settings
from settings.pulumi_config import secret
from settings.secret_keys import SECRETS
from settings.stack import GitOps

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
    """What Argo CD is made from: the environment's settings; and where: its cluster."""

    settings: Settings
    cluster: Cluster


class ArgoCd(pulumi.ComponentResource):
    """Argo CD of one cluster: everything but its projects and Applications.

    Creates the namespace `argocd`, the Secrets that the settings refer to (single sign-on, Git
    webhook, notifications, credentials of the GitOps repository; each as far as the stack sets
    them) and the Helm release. Wants a Kubernetes provider in `opts`. Once `release` is there, so
    are the CRDs of Applications and projects, and the controller that acts on them.
    """

    namespace: Output[str]
    release: k8s.helm.v3.Release
    url: Output[str]

    def __init__(self, name: str, args: ArgoCdArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:ArgoCd", name, None, opts)
        settings = args.settings
        held = {key: value for key in sorted(SECRETS) if (value := secret(key)) is not None}
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": NAMESPACE, "labels": RESTRICTED},
            opts=ResourceOptions(parent=self),
        )
        self.namespace = namespace.metadata.name
        secrets = [
            k8s.core.v1.Secret(
                f"{name}-{part}",
                metadata={"name": secret_name, "namespace": self.namespace, "labels": labels},
                string_data=data or None,  # an empty mapping would differ at each run
                opts=ResourceOptions(parent=self),
            )
            for part, secret_name, labels, data in _secrets(settings, held)
        ]
        chart = settings.config.argocd.chart
        self.release = helm_release(
            f"{name}-release",
            cluster=args.cluster,
            release="argocd",
            namespace=self.namespace,
            chart="argo-cd",
            repository=chart.repository or CHART_REPOSITORY,
            version=chart.version or CHART_VERSION,
            values=argocd_values.values(settings, held),
            timeout_seconds=TIMEOUT_SECONDS,
            opts=ResourceOptions(parent=self, depends_on=secrets),
        )
        self.url = Output.from_input(f"https://{settings.config.argocd_domain}")
        self.register_outputs({"namespace": self.namespace, "url": self.url})


def _secrets(
    settings: Settings, held: Mapping[str, Output[str]]
) -> Iterator[tuple[str, str, Mapping[str, str], Mapping[str, Output[str] | str]]]:
    """Every Secret to make: our name for it, its own name, its labels and its data."""

    def chosen(keys: Collection[str]) -> dict[str, Output[str] | str]:
        return {key: held[key] for key in keys if key in held}

    yield "settings", argocd_values.SECRET, PART_OF_ARGOCD, chosen(argocd_values.SECRET_KEYS)
    yield "notifications", notifications.SECRET, PART_OF_ARGOCD, chosen(notifications.SECRET_KEYS)
    gitops = settings.config.gitops
    if credentials := _git_credentials(gitops, held):
        labels = {"argocd.argoproj.io/secret-type": "repository"}
        data = {"type": "git", "url": gitops.url, **credentials}
        yield "gitops-repository", "gitops-repository", labels, data


def _git_credentials(
    gitops: GitOps, held: Mapping[str, Output[str]]
) -> dict[str, Output[str] | str]:
    """How Argo CD reads the GitOps repository; nothing where it is open.

    A GitHub App, a deploy key or a token: the settings refuse more than one.
    """
    if app := gitops.github_app:
        return {
            "githubAppID": str(app.id),
            "githubAppInstallationID": str(app.installation),
            "githubAppPrivateKey": held["githubAppPrivateKey"],
            **({"githubAppEnterpriseBaseUrl": app.api} if app.api else {}),
        }
    if "gitPrivateKey" in held:
        return {"sshPrivateKey": held["gitPrivateKey"]}
    if "gitToken" in held:
        # Any user name does where a token is the password.
        return {"username": "git", "password": held["gitToken"]}
    return {}
