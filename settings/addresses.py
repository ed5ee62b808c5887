"""Where people reach an environment, and what they have to do for it by hand."""

from __future__ import annotations

from collections.abc import Iterator

from settings.environment import Settings
from settings.git_url import parse_git_url
from settings.tenancy import tenants

GITHUB = "github.com"
WEBHOOK = "/api/webhook"
"""Where Argo CD takes Git's push webhook."""


def hosts(settings: Settings) -> list[str]:
    """The names of the services with ingress, sorted."""
    return sorted(host for tenant in tenants(settings) for host in tenant.hosts)


def addresses(settings: Settings) -> dict[str, str]:
    """The URL of Argo CD and of each service with ingress, by name."""
    services = {host.partition(".")[0]: f"https://{host}" for host in hosts(settings)}
    return {"Argo CD": f"https://{settings.config.argocd_domain}", **services}


def left_to_do(settings: Settings) -> list[str]:
    """What `pulumi up` does not do, one sentence each, with the command where there is one."""
    return [*_names(settings), *_webhook(settings)]


def _names(settings: Settings) -> Iterator[str]:
    ingress = settings.config.ingress
    if ingress and not ingress.zone:
        names = ", ".join([settings.config.argocd_domain, *hosts(settings)])
        yield (
            f"Let these names lead to the load balancer: {names}. Its own name: kubectl get "
            "ingress --namespace argocd argocd-server"
        )


def _webhook(settings: Settings) -> Iterator[str]:
    ingress, gitops = settings.config.ingress, settings.config.gitops
    address = parse_git_url(gitops.url)
    if not ingress or not address.host:
        return
    url = f"https://{settings.config.argocd_domain}{WEBHOOK}"
    if address.host != GITHUB:
        yield f"Add a webhook for pushes to {gitops.url}: {url}, content type JSON"
        return
    if ingress.balances and ingress.internal:
        seconds = settings.config.argocd.reconciliation_seconds
        yield (
            "GitHub does not reach an internal load balancer, so Argo CD reads Git every "
            f"{seconds} seconds. With platform:ingress.reach: internet, or the ranges of `gh api "
            "meta --jq .hooks`, a webhook tells it at once"
        )
        return
    yield f"Tell Argo CD of pushes at once: {_github(settings, address.repository, url)}"


def _github(settings: Settings, repository: str, url: str) -> str:
    """The command that makes the webhook at GitHub."""
    signed = "gitWebhookSecret" in settings.environment.secrets
    secret = f"$(pulumi config get platform:gitWebhookSecret --stack {settings.stack})"
    fields = [
        "name=web",
        "active=true",
        "'events[]=push'",
        f"'config[url]={url}'",
        "'config[content_type]=json'",
        *([f'"config[secret]={secret}"'] if signed else []),
    ]
    words = " ".join(f"--field {field}" for field in fields)
    return f"gh api --method POST repos/{repository}/hooks {words}"
