"""What the templates know: the settings as plain, sorted data.

`shared` is the same from every stack, so every stack renders the shared files alike.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from gitops import ingress, packages
from gitops.git_access import access
from gitops.version import (
    UNRELEASED_HELM,
    UNRELEASED_KUSTOMIZE,
    released_helm,
    released_kustomize,
)
from gitops.workloads import described, placed
from settings import kinds
from settings.catalogue import HOTFIXES, BuiltService, ForeignService, Service
from settings.environment import Settings
from settings.git_url import parse_git_url
from settings.machines import PLATFORMS, Architecture, Platform
from settings.naming import Names
from settings.patterns import DIGEST_PATTERN, VERSION_PATTERN
from settings.placement import variables
from settings.secrets import FOLDER, Secrets, object_name

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
_RUNNERS: Mapping[Architecture, Context] = {
    "x86_64": {"github_actions": "ubuntu-24.04", "circleci": "medium"},
    "arm64": {"github_actions": "ubuntu-24.04-arm", "circleci": "arm.medium"},
}
"""The machines of both CI systems that build for a processor: labels and resource classes."""


def shared(settings: Settings) -> Context:
    """What the shared files depend on: nothing in it differs between stacks."""
    owner = settings.registry_owner
    speeds = [
        {
            "name": e.name,
            "speed": e.speed.name,
            "releases": e.config.gitops.releases,
            "refuse": e.config.registry.refuse,
            "kubernetes": e.config.cluster.version,
        }
        for e in settings.environments
    ]
    return {
        **_HEADERS,
        **_VERSION_FILES,
        "organization": owner.config.organization,
        "registry": {
            "host": settings.registry_host,
            "account": owner.account,
            "region": owner.region,
        },
        "gitops": {
            "url": settings.config.gitops.url,
            "branch": settings.config.gitops.branch,
            "repository": parse_git_url(settings.config.gitops.url).repository,
        },
        "environments": speeds,
        "fast": settings.fast.name,
        "safe": [e["name"] for e in speeds if e["speed"] == "safe"],
        "kinds": {
            name: kinds.declared(group.kinds)
            for name, group in sorted(settings.catalogue.namespaces.items())
        },
        "kinds_everywhere": kinds.declared(),
        "circleci": any(service.ci == "circleci" for _, _, service in settings.catalogue.built()),
        "ingress_classes": any(map(ingress.ingress_class, settings.environments)),
        "services": [_service(settings, *entry) for entry in settings.catalogue.entries()],
        "packages": [*packages.described(settings)],
    }


def environment(settings: Settings) -> Context:
    """What the files of the settings' own environment depend on, `shared` included."""
    own, speed = settings.environment, settings.speed
    common = shared(settings)
    services = [
        _placed(settings, service)
        for service in common["services"]
        if own.name in service["environments"]
    ]
    return common | {
        "services": services,
        "packages": [
            packages.placed(settings, package)
            for package in common["packages"]
            if own.name in package["environments"]
        ],
        "environment": {
            "name": own.name,
            "speed": speed.name,
            "automated_sync": speed.automated_sync,
            "rendered": speed.rendered,
            "domain": own.config.domain,
            "ingress_class": ingress.ingress_class(own),
            "argocd": own.config.argocd_domain,
            "log_level": speed.log_level,
            "replicas": speed.replicas,
            "disruption_budget": speed.disruption_budget,
            "resources": speed.resources,
            "poll_schedule": own.config.keel.schedule if own.config.keel else None,
        },
    }


def _service(settings: Settings, namespace: str, name: str, service: Service) -> Context:
    repository = Names.repository(namespace, name)
    workloads = [*described(name, service)]
    return {
        "namespace": namespace,
        "name": name,
        "repository": repository,
        **_origin(settings, repository, name, service),
        "owner": service.owner,
        "packaging": service.packaging,
        "environments": [e.name for e in settings.environments if service.lives_in(e.name)],
        "migrate": service.migrate
        and {
            "command": service.migrate.command,
            "minutes": service.migrate.minutes,
            "gate": settings.catalogue.helper_images.python,
            "tools": settings.catalogue.helper_images.busybox,
        },
        "main": workloads[0],
        "workloads": workloads,
        "ingress": service.ingress,
        "ingress_annotations": ingress.health_check(settings, service),
        "env": dict(sorted(service.env.items())),
        "config": dict(sorted(service.config.items())),
        "secrets": _secrets(name, service.secrets),
    }


def _secrets(service: str, secrets: Secrets) -> Context:
    """The service's secrets: where each is in Kubernetes, and how the container gets it."""

    def objects(names: Iterable[str]) -> list[Context]:
        return [{"name": name, "object": object_name(service, name)} for name in sorted(names)]

    return {
        "all": objects(secrets.names()),
        "env": objects(secrets.env),
        "files": objects(secrets.files),
        "folder": FOLDER,
    }


def _origin(settings: Settings, repository: str, name: str, service: Service) -> Context:
    """The source of the service's image: its own pipeline, or others."""
    if isinstance(service, ForeignService):
        image = service.image
        return {
            "image": image.name,
            "foreign": {"version": image.version, "digest": image.digest},
            "source": None,
            "delivery": "none",
        }
    assert isinstance(service, BuiltService)  # noqa: S101 - there are no others
    owner = settings.registry_owner
    return {
        "image": f"{settings.registry_host}/{repository}",
        "foreign": None,
        "role_arn": owner.aws_account.role_arn(owner.names.ci_role(name)),
        "source": service.source,
        "branch": service.branch,
        "build": _build(settings, name, service),
        "hotfixes": HOTFIXES if service.hotfix else "",
        "ci": service.ci,
        "workflow": _workflow(settings, name, service),
        "gitops": access(settings.config.gitops.url, service.ci),
        "verify": service.verify,
        # Where nothing is delivered to, a release begins with a promotion.
        "delivery": service.delivery if service.lives_in(settings.fast.name) else "none",
    }


def _placed(settings: Settings, service: Context) -> Context:
    """A service, with what differs in the settings' own environment."""
    speed, name = settings.speed, settings.stack
    entry = settings.catalogue.namespaces[service["namespace"]].services[service["name"]]
    workloads = [placed(entry, workload, name, speed) for workload in service["workloads"]]
    return service | {
        "follows_moving_tag": speed.moving_tag and service["delivery"] == "keel",
        "runs": _runs(settings, service),
        "main": workloads[0],
        "workloads": workloads,
        "environment_env": variables(entry, name),
    }


def _runs(settings: Settings, service: Context) -> tuple[str, str]:
    """Tag and digest that this program, and no release, puts into the environment; else empty.

    The tag that every build moves, or the version of somebody else's image.
    """
    if not settings.speed.moving_tag:
        return "", ""
    if service["foreign"]:
        return service["foreign"]["version"], service["foreign"]["digest"]
    return (settings.stack, "") if service["delivery"] == "keel" else ("", "")


def _build(settings: Settings, name: str, service: BuiltService) -> Context:
    """What of the repository is built, by which options of `docker build`, and when."""
    build = service.build
    folder = build.path or "."
    options = [
        *(["--file", f"{folder}/{build.dockerfile}"] if build.dockerfile else []),
        *(["--target", build.target] if build.target else []),
        *(w for k, v in sorted(build.args.items()) for w in ("--build-arg", f"{k}={v}")),
        *(w for k in sorted(build.secrets) for w in ("--secret", f"id={k},env={k}")),
    ]
    github = service.ci == "github-actions"
    workflow = f".github/workflows/{_workflow(settings, name, service)}"
    own = workflow if github else ".circleci/config.yml"
    platforms = build.platforms or [PLATFORMS[_architecture(settings)]]
    watched = [form for path in build.watch for form in (path, f"{path}/**")]
    return {
        "folder": folder,
        "test": f"make --directory {folder} test" if build.path else "make test",
        "options": "".join(f" {shlex.quote(word)}" for word in options),
        "secrets": sorted(build.secrets),
        "platforms": sorted(platforms),
        "several": len(platforms) > 1,
        "cache": build.cache,
        "buildx": build.cache or len(platforms) > 1,
        "paths": [f"{folder}/**", *watched, own] if build.path else [],
        "watched": shlex.join([folder, *build.watch, own]),
        "runner": _RUNNERS[_processor(platforms[0])],
    }


def _workflow(settings: Settings, name: str, service: BuiltService) -> str:
    """The file name of a service's workflow: its own where a repository has several services."""
    sources = [other.source for _, _, other in settings.catalogue.built()]
    return f"release-{name}.yml" if sources.count(service.source) > 1 else "release.yml"


def _processor(platform: Platform) -> Architecture:
    return next(known for known, name in PLATFORMS.items() if name == platform)


def _architecture(settings: Settings) -> Architecture:
    """The processor of every node that runs services, as far as the stack files say it."""
    found = (environment.config.cluster.architectures for environment in settings.environments)
    return next((known for groups in found for known in groups.values()), "x86_64")
