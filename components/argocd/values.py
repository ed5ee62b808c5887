"""The values of the Argo CD chart. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from components.argocd.notifications import notifications
from components.argocd.rbac import rbac
from gitops.go_yaml import go_yaml
from settings.argocd import ArgoCdConfig
from settings.catalogue import Catalogue
from settings.git_url import parse_git_url
from settings.gitops_repository import GitOpsConfig
from settings.sign_on import GROUPS, GithubSso, SamlSso, Sso
from settings.speed import Speed

SECRET = "argocd-platform"  # noqa: S105 -- the Secret's name
SECRET_KEYS = ("ssoClientSecret", "gitWebhookSecret")
"""The keys of the Secret, as far as the stack sets them."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What the chart's values depend on."""

    environment: str
    config: ArgoCdConfig
    gitops: GitOpsConfig
    domain: str
    """Where Argo CD's UI and API are reached."""
    catalogue: Catalogue
    """Owners of services, and releasers."""
    speed: Speed
    secrets: frozenset[str]
    """The names of the secrets that the stack sets."""


def values(wanted: Installation) -> dict[str, Any]:
    """The chart's values for the environment; they have no secret, only references to some."""
    highly_available = wanted.speed.protected
    replicas = 2 if highly_available else 1
    budget = {"enabled": highly_available, "minAvailable": 1}
    return {
        "global": {
            "domain": wanted.domain,
            "logging": {"format": "json", "level": "info"},
            "addPrometheusAnnotations": True,
        },
        # Deleting the CRDs deletes all Applications: keep them in a safe environment.
        "crds": {"install": True, "keep": wanted.speed.protected},
        "configs": {
            "cm": config_map(wanted),
            "params": PARAMS,
            "rbac": rbac(
                wanted.catalogue,
                owners_sync=wanted.speed.owners_sync,
                groups_claim=wanted.config.sso.groups_claim if wanted.config.sso else GROUPS,
            ),
            # With it, Argo CD accepts only push webhooks that Git has signed.
            "secret": {"githubSecret": reference("gitWebhookSecret", wanted.secrets)},
            **_git_host(wanted.gitops),
        },
        # One controller serves one cluster; a second replica would have no work.
        "controller": {
            "replicas": 1,
            "metrics": METRICS,
            "resources": _resources(cpu="250m", memory="512Mi", limit="2Gi"),
        },
        "server": {
            "replicas": replicas,
            "pdb": budget,
            "metrics": METRICS,
            "resources": _resources(cpu="50m", memory="128Mi", limit="512Mi"),
        },
        "repoServer": {
            "replicas": replicas,
            "pdb": budget,
            "metrics": METRICS,
            "resources": _resources(cpu="100m", memory="256Mi", limit="1Gi"),
        },
        # A cache only: when it restarts, Argo CD reads Git and the cluster again.
        "redis": {"resources": _resources(cpu="50m", memory="64Mi", limit="256Mi")},
        "redis-ha": {"enabled": False},
        "dex": _dex(wanted.config.sso),
        # Not used: Applications come from the program.
        "applicationSet": {"replicas": 0},
        "notifications": notifications(
            wanted.config.notifications, environment=wanted.environment, secrets=wanted.secrets
        ),
    }


PARAMS = {
    # TLS ends at the load balancer; pods accept HTTP from it and from port-forwards.
    "server.insecure": "true",
    # Replacing deletes and recreates; it would also undo what Keel wrote.
    "server.sync.replace.allowed": "false",
}


METRICS = {
    "enabled": True,  # a Service, by which whoever scrapes finds them
    "serviceMonitor": {"enabled": True},  # only where Prometheus Operator's CRD is
}


def _git_host(gitops: GitOpsConfig) -> dict[str, Any]:
    """What Argo CD has to know of a Git host of one's own; nothing unless the stack says so."""
    known, authority = gitops.known_hosts, gitops.certificate_authority
    return {
        **({"ssh": {"extraHosts": "\n".join(known)}} if known else {}),
        **({"tls": {"certificates": {_host(gitops): authority}}} if authority else {}),
    }


def _host(gitops: GitOpsConfig) -> str:
    """The Git host's name, without a port."""
    return parse_git_url(gitops.url).host.partition(":")[0]


def reference(name: str, secrets: Collection[str]) -> str:
    """How Argo CD's settings refer to a key of the Secret; empty where the stack sets none."""
    return f"${SECRET}:{name}" if name in secrets else ""


def config_map(wanted: Installation) -> dict[str, str]:
    """The data of `argocd-cm`."""
    sso, seconds = wanted.config.sso, wanted.config.reconciliation_seconds
    data = {
        "admin.enabled": "false" if sso else "true",
        "timeout.reconciliation": f"{seconds}s",
        # Spreads the reads of Git over time.
        "timeout.reconciliation.jitter": f"{seconds // 5}s",
        # Labels can be copied from object to object, this annotation names its own object.
        "application.resourceTrackingMethod": "annotation",
        # The right to sync is the right to apply what Git's branch says, and nothing else:
        "application.sync.requireOverridePrivilegeForRevisionSync": "true",
        # a rollback inside Argo CD needs a separate right, which no role has.
        "server.rbac.rollback.enforce.enable": "true",
        "exec.enabled": "false",
        "statusbadge.enabled": "false",
    }
    return data | (_sign_on(sso, wanted) if sso else {})


def _dex(sso: Sso | None) -> dict[str, Any]:
    """Dex, for GitHub and SAML, which are no OpenID Connect providers.

    Always one replica: its keys are in its memory, and a second replica would have others.
    """
    if not sso or sso.issuer:
        return {"enabled": False}
    return {"enabled": True, "resources": _resources(cpu="25m", memory="64Mi", limit="256Mi")}


def _sign_on(sso: Sso, wanted: Installation) -> dict[str, str]:
    if sso.github:
        return {"dex.config": _connector(_github(sso, sso.github, wanted))}
    if sso.saml:
        return {"dex.config": _connector(_saml(sso.saml, wanted.domain))}
    return {"oidc.config": _oidc(sso, wanted.secrets)}


def _connector(connector: dict[str, Any]) -> str:
    """Dex's settings, with one way to sign in."""
    return go_yaml({"connectors": [connector]})


def _github(sso: Sso, github: GithubSso, wanted: Installation) -> dict[str, Any]:
    config = {
        "clientID": sso.client_id,
        "clientSecret": reference("ssoClientSecret", wanted.secrets),
        "orgs": [{"name": github.organization}],  # other people cannot sign in
        "teamNameField": "slug",  # a team's name may have blanks and commas
        "useLoginAsID": False,  # a login can be given up, and taken by another person
    }
    if github.host:
        config["hostName"] = github.host
    authority = wanted.gitops.certificate_authority
    if authority and github.host == _host(wanted.gitops):
        config["rootCA"] = authority  # the certificates themselves, or a path to them
    return {"type": "github", "id": "github", "name": "GitHub", "config": config}


def _saml(saml: SamlSso, domain: str) -> dict[str, Any]:
    address = f"https://{domain}/api/dex/callback"
    config = {
        "ssoURL": saml.url,
        "caData": b64encode(saml.certificate.encode()).decode(),
        "entityIssuer": address,  # the name by which the provider knows Argo CD
        "redirectURI": address,
        "usernameAttr": "email",
        "emailAttr": "email",
        "groupsAttr": GROUPS,
    }
    return {"type": "saml", "id": "saml", "name": "SSO", "config": config}


def _oidc(sso: Sso, secrets: Collection[str]) -> str:
    secret = reference("ssoClientSecret", secrets)
    # A client without a secret proves itself by PKCE.
    proof = {"clientSecret": secret} if secret else {"enablePKCEAuthentication": True}
    return go_yaml(
        {
            "name": "SSO",
            "issuer": sso.issuer,
            "clientID": sso.client_id,
            **proof,
            "requestedScopes": sso.scopes,
            "requestedIDTokenClaims": {sso.groups_claim: {"essential": True}},
        }
    )


def _resources(*, cpu: str, memory: str, limit: str) -> dict[str, dict[str, str]]:
    """Requests of a process; memory is limited, the processor is shared."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}
