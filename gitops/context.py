"""What the templates know: the settings as plain, sorted data.

`shared` is the same from every stack, so every stack renders the shared files alike.
"""

from __future__ import annotations

import re
from typing import Any

from gitops.version import (
    DIGEST_PATTERN,
    UNRELEASED_HELM,
    UNRELEASED_KUSTOMIZE,
    VERSION_PATTERN,
    released_helm,
    released_kustomize,
)
from settings import Names, Settings
from settings.catalogue import Service
from settings.git_url import parse_git_url

Context = dict[str, Any]

_HEADERS = {
    "managed": "Managed: generated, so change services.yaml or the stack files instead.",
    "seeded": "Seeded: follows its template until you edit it; from then on it is yours.",
    "pipeline": "Generated: pipelines/ of the GitOps repository holds the current text.",
}
_VERSION_FILES = {
    "version_pattern": VERSION_PATTERN,
    "digest_pattern": DIGEST_PATTERN,
    "released_kustomize": released_kustomize,
    "released_helm": released_helm,
    "unreleased_kustomize": UNRELEASED_KUSTOMIZE,
    "unreleased_helm": UNRELEASED_HELM,
}
_ECR_HOST = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


def shared(settings: Settings) -> Context:
    """What the shared files depend on: nothing in it differs between stacks."""
    owner = settings.registry_owner
    speeds = [{"name": e.name, "speed": e.speed.name} for e in settings.environments]
    return {
        **_HEADERS,
        **_VERSION_FILES,
        "organization": owner.config.organization,
        "registry": {
            "host": settings.registry_host,
            "account": owner.account,
            "region": owner.region,
            "owner": owner.name,
            "is_ecr": bool(_ECR_HOST.fullmatch(settings.registry_host)),
        },
        "gitops": {
            "url": settings.config.gitops.url,
            "branch": settings.config.gitops.branch,
            "repository": parse_git_url(settings.config.gitops.url).repository,
        },
        "environments": speeds,
        "fast": settings.fast.name,
        "safe": [e["name"] for e in speeds if e["speed"] == "safe"],
        "services": [_service(settings, *entry) for entry in settings.catalogue.entries()],
    }


def environment(settings: Settings) -> Context:
    """What the files of the settings' own environment depend on, `shared` included."""
    own, speed = settings.environment, settings.speed
    common = shared(settings)
    services = [
        service | {"follows_moving_tag": speed.moving_tag and service["delivery"] == "keel"}
        for service in common["services"]
    ]
    return common | {
        "services": services,
        "environment": {
            "name": own.name,
            "speed": speed.name,
            "automated_sync": speed.automated_sync,
            "domain": own.config.domain,
            "argocd": own.config.argocd_domain,
            "log_level": speed.log_level,
            "replicas": speed.replicas,
            "disruption_budget": speed.disruption_budget,
            "resources": speed.resources,
            "poll_schedule": own.config.keel.schedule if own.config.keel else None,
        },
    }


def _service(settings: Settings, namespace: str, name: str, service: Service) -> Context:
    owner = settings.registry_owner
    repository = Names.repository(namespace, name)
    return {
        "namespace": namespace,
        "name": name,
        "repository": repository,
        "image": f"{settings.registry_host}/{repository}",
        "role_arn": owner.aws_account.role_arn(owner.names.ci_role(name)),
        "owner": service.owner,
        "source": service.source,
        "branch": service.branch,
        "ci": service.ci,
        "circleci_project": str(service.circleci_project) if service.circleci_project else None,
        "delivery": service.delivery,
        "packaging": service.packaging,
        "port": service.port,
        "health": service.health,
        "ingress": service.ingress,
        "env": dict(sorted(service.env.items())),
        "config": dict(sorted(service.config.items())),
    }
