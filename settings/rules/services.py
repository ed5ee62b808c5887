"""Rules between the keys of a service: what cannot work together, and what names may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from settings.catalogue import BuiltService, Catalogue, Service
from settings.eks_releases import AddonName
from settings.environment import Environment
from settings.files import CATALOGUE_FILE
from settings.packages import Package
from settings.placement import placement
from settings.problems import Problem
from settings.quantities import amount
from settings.rules.catalogue import reserved_variables
from settings.secrets import FOLDER
from settings.speed import Resources
from settings.workload import FurtherProcess, Process

RELEASE = 53
"""The longest name of a Helm release."""
_OBJECT = 63
"""The longest label, which the name of a Deployment or Service becomes."""
_WITH_A_HASH = 52
"""The longest name of a CronJob or StatefulSet: Kubernetes adds eleven characters."""
_MIGRATING = 44
"""The longest name of a service whose migrations are Jobs, `<service>-migrate-<ten digits>`."""
_DRIVER: AddonName = "aws-ebs-csi-driver"
_ANNOTATION = 262_144
"""The longest annotations of an object."""
_LARGEST = _ANNOTATION - 2_048
"""Of the files of a service, in JSON; the rest is what the ConfigMap says beside them."""
_TAKEN_VOLUMES = frozenset({"config", "tmp"})
_VOLUME_OF_SECRETS = "secrets"


def check(catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen in the catalogue alone."""
    for namespace, name, service in catalogue.entries():
        path = f"namespaces.{namespace}.services.{name}"
        yield from _without_port(path, service)
        yield from _ports(path, service)
        yield from _storage(path, name, service)
        yield from _migration(path, service)
        yield from _lengths(path, name, service)
        yield from _overridden(path, service)
        yield from _repository_name(namespace, name, service)
        yield from _large_files(path, service)
    yield from _named_twice(catalogue)


def in_environments(environments: Sequence[Environment], catalogue: Catalogue) -> Iterator[Problem]:
    """What can be seen only where every environment is known."""
    for namespace, name, service in catalogue.entries():
        path = f"namespaces.{namespace}.services.{name}"
        yield from unknown_environments(path, service, environments)
        yield from _verified_nowhere(path, service, environments)
        for environment in environments:
            if service.lives_in(environment.name):
                yield from _without_driver(name, service, environment)
                yield from _beyond_limits(path, service, environment)


def _problem(path: str, value: object, rule: str, remedy: str) -> Problem:
    return Problem(CATALOGUE_FILE, path, str(value), rule, remedy)


def _processes(path: str, service: Service) -> Iterator[tuple[str, str, Process]]:
    """Where each process is described, its name, and what it is."""
    for name, process in service.all_processes.items():
        yield (f"{path}.processes.{name}" if name else path), name, process


def _is_scheduled(process: Process) -> bool:
    return isinstance(process, FurtherProcess) and process.schedule is not None


def _without_port(path: str, service: Service) -> Iterator[Problem]:
    if service.ingress and not service.port:
        yield _problem(
            f"{path}.ingress",
            "true",
            "needs the service's port, and it has none",
            "add port, where it answers HTTP, or remove ingress",
        )
    for place, _, process in _processes(path, service):
        nowhere = [c for c in process.checks().values() if c.http and not c.port]
        if nowhere and not process.port:
            yield _problem(
                f"{place}.health",
                nowhere[0].http,
                "is an HTTP probe, and there is no port",
                "add a port, or use tcp, grpc or command",
            )


def _ports(path: str, service: Service) -> Iterator[Problem]:
    for place, _, process in _processes(path, service):
        numbers = [process.port, *process.ports.values()]
        for number in sorted({n for n in numbers if n and numbers.count(n) > 1}):
            yield _problem(
                f"{place}.ports", number, "is there twice", "give each port a number of its own"
            )
        if process.port and "http" in process.ports:
            yield _problem(
                f"{place}.ports.http",
                process.ports["http"],
                "has the name of the service's own port",
                "give it another name",
            )


def _storage(path: str, name: str, service: Service) -> Iterator[Problem]:
    own = {"/tmp": "the scratch folder", f"/etc/{name}": "the files of config"}  # noqa: S108
    taken = set(_TAKEN_VOLUMES)
    if service.secrets.files:
        own[FOLDER] = "the files of secrets"
        taken.add(_VOLUME_OF_SECRETS)
    for volume, what in sorted(service.storage.items()):
        place = f"{path}.storage.{volume}"
        if volume in taken:
            yield _problem(place, volume, "is a volume of the platform", "give it another name")
        for other, whose in sorted(own.items()):
            if _is_below(what.path, other) or _is_below(other, what.path):
                yield _problem(
                    f"{place}.path",
                    what.path,
                    f"and {other} ({whose}) are one inside the other",
                    "choose a separate folder",
                )
        own[what.path] = f"the volume {volume}"


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def _migration(path: str, service: Service) -> Iterator[Problem]:
    if service.migrate and service.storage:
        yield _problem(
            f"{path}.migrate",
            "",
            "cannot be combined with storage: the old pod of a StatefulSet stops before the new "
            "one migrates, so after a failed migration no pod would serve",
            "keep the data in a service of its own, or run the migration by hand",
        )


def _lengths(path: str, name: str, service: Service) -> Iterator[Problem]:
    if service.packaging == "helm" and len(name) > RELEASE:
        yield _problem(
            path,
            name,
            f"has {len(name)} characters, and a Helm release {RELEASE} at most",
            "shorten it, or take packaging: kustomize",
        )
    if service.storage and len(name) > _WITH_A_HASH:
        yield _problem(
            path,
            name,
            f"has {len(name)} characters, and a StatefulSet {_WITH_A_HASH} at most",
            "shorten it",
        )
    if service.migrate and len(name) > _MIGRATING:
        yield _problem(
            f"{path}.migrate",
            name,
            f"creates Jobs named after the service, which has {len(name)} characters; the most are "
            f"{_MIGRATING}",
            "shorten the service's name",
        )
    for process, what in service.processes.items():
        longest = _WITH_A_HASH if _is_scheduled(what) else _OBJECT
        whole = f"{name}-{process}"
        if len(whole) > longest:
            yield _problem(
                f"{path}.processes.{process}",
                whole,
                f"has {len(whole)} characters, and Kubernetes takes {longest} here",
                "shorten the name of the process or of the service",
            )


def _repository_name(namespace: str, name: str, service: Service) -> Iterator[Problem]:
    """ECR takes one hyphen between two other characters."""
    places = {namespace: f"namespaces.{namespace}", name: f"namespaces.{namespace}.services.{name}"}
    for text, place in places.items():
        if "--" in text and isinstance(service, BuiltService):
            yield _problem(
                place,
                text,
                "has two hyphens in a row, and becomes the name of an image repository, where AWS "
                "refuses them",
                "write one",
            )


def _large_files(path: str, service: Service) -> Iterator[Problem]:
    text = json.dumps(dict(service.config), ensure_ascii=False)
    # Kubernetes writes these three as \u003c and the like.
    size = len(text.encode()) + 5 * sum(map(text.count, "<>&"))
    if size > _LARGEST:
        yield _problem(
            f"{path}.config",
            f"{size} bytes",
            f"is more than an apply can hold: Kubernetes keeps a copy of it in an annotation of "
            f"{_ANNOTATION} bytes",
            "put large files into the image",
        )


def _overridden(path: str, service: Service) -> Iterator[Problem]:
    for environment, override in sorted(service.overrides.items()):
        place = f"{path}.overrides.{environment}"
        yield from reserved_variables(place, override.env)
        if not service.lives_in(environment):
            yield _problem(
                place,
                environment,
                "is no environment of the service",
                "add it to environments, or remove the override",
            )
        for name, own in sorted(override.processes.items()):
            process = service.processes.get(name)
            if process is None:
                yield _problem(
                    f"{place}.processes.{name}",
                    name,
                    "is no process of the service",
                    f"name one of {', '.join(sorted(service.processes)) or 'its processes'}",
                )
            elif _is_scheduled(process) and (fixed := own.written("replicas", "scale")):
                yield _problem(
                    f"{place}.processes.{name}.{fixed[0]}",
                    "",
                    "is not for a scheduled process",
                    "remove it",
                )


def _named_twice(catalogue: Catalogue) -> Iterator[Problem]:
    """Objects of two services of a namespace with one name."""
    owners: dict[tuple[str, str], str] = {}
    for namespace, name, _ in catalogue.entries():
        owners[namespace, name] = f"the service {name}"
    for namespace, name, service in catalogue.entries():
        if service.migrate:
            owners.setdefault((namespace, f"{name}-migrate"), f"the migration of {name}")
    for namespace, name, service in catalogue.entries():
        for process in sorted(service.processes):
            whole = f"{name}-{process}"
            if other := owners.get((namespace, whole)):
                yield _problem(
                    f"namespaces.{namespace}.services.{name}.processes.{process}",
                    whole,
                    f"is also the name of {other} in Kubernetes",
                    "give the process another name",
                )
            owners.setdefault((namespace, whole), f"the process {process} of {name}")


def unknown_environments(
    path: str, service: Service | Package, environments: Sequence[Environment]
) -> Iterator[Problem]:
    """Stacks that are named in what is described at `path`, and that there are not."""
    known = [environment.name for environment in environments]
    unknown = [
        *((f"{path}.environments", name) for name in service.environments or ()),
        *((f"{path}.overrides.{name}", name) for name in sorted(service.overrides)),
    ]
    for place, name in unknown:
        if name not in known:
            yield _problem(
                place,
                name,
                "is no environment: there is no such Pulumi.<stack>.yaml",
                f"name one of {', '.join(known)}",
            )


def _verified_nowhere(
    path: str, service: Service, environments: Sequence[Environment]
) -> Iterator[Problem]:
    fast = next((e.name for e in environments if e.speed.moving_tag), None)
    verify = isinstance(service, BuiltService) and service.verify
    if verify and fast and not service.lives_in(fast):
        yield _problem(
            f"{path}.verify",
            "",
            f"runs on {fast}, which does not have the service",
            f"add {fast} to environments, or remove verify",
        )


def _without_driver(name: str, service: Service, environment: Environment) -> Iterator[Problem]:
    cluster = environment.config.cluster
    has_one = cluster.existing or cluster.auto or _DRIVER in cluster.addons
    if service.storage and not has_one:
        yield environment.problem(
            "cluster.addons",
            "",
            f"lacks {_DRIVER}, which creates the volumes of {name} (storage)",
            f"add {_DRIVER} with the version that `aws eks describe-addon-versions` names",
        )


def _beyond_limits(path: str, service: Service, environment: Environment) -> Iterator[Problem]:
    for place, name, _ in _processes(path, service):
        given = placement(service, name, environment.name, environment.speed).resources
        for what, request, limit in _pairs(given):
            if limit and amount(request) > amount(limit):
                yield _problem(
                    f"{place}.resources",
                    request,
                    f"requests more {what} on {environment.name} than its limit there, {limit}",
                    f"raise limits.{what}, or lower requests.{what}; what is not set follows from "
                    f"the speed, {environment.speed.name}",
                )


def _pairs(given: Resources) -> Iterator[tuple[str, str, str | None]]:
    yield "cpu", given.cpu_request, given.cpu_limit
    yield "memory", given.memory_request, given.memory_limit
