"""What keeps teams apart: how much a namespace may use, who calls it, whose images it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from settings.catalogue import ForeignService, Namespace
from settings.environment import Environment, Settings
from settings.images import HelperImages
from settings.speed import Quota


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One namespace, as the cluster keeps it apart from the others."""

    namespace: str
    quota: Quota
    workloads: tuple[str, ...]
    """The names of its services and their further processes, which their pods are labelled with."""
    packages: tuple[str, ...]
    """Charts of somebody else, which bring images, Services and webhooks of their own."""
    callers: tuple[str, ...]
    """Other namespaces whose pods may call in."""
    reachable: tuple[str, ...]
    """Services with an Ingress, whose port `http` is open to whatever leads there."""
    hosts: tuple[str, ...]
    """What its Ingresses and routes may be for."""
    images: tuple[str, ...]
    """Repositories whose images it may run beside those of the platform's registry."""


def tenants(settings: Settings) -> tuple[Tenant, ...]:
    """Every namespace in the settings' own environment, sorted by name."""
    living = sorted(settings.living.namespaces.items())
    helpers = settings.catalogue.helper_images
    return tuple(_tenant(settings.environment, name, group, helpers) for name, group in living)


def _tenant(
    environment: Environment, namespace: str, group: Namespace, helpers: HelperImages
) -> Tenant:
    reachable = tuple(sorted(name for name, one in group.services.items() if one.ingress))
    return Tenant(
        namespace=namespace,
        quota=quota(environment, group),
        workloads=tuple(sorted(_workloads(group))),
        packages=tuple(sorted(group.packages)),
        callers=tuple(sorted(group.callers)),
        reachable=reachable,
        hosts=tuple(f"{name}.{environment.config.domain}" for name in reachable),
        images=tuple(sorted({*group.images, *_foreign(group), *_of_migrations(group, helpers)})),
    )


def quota(environment: Environment, group: Namespace) -> Quota:
    """What all pods of a namespace may use together: the speed's, and what the catalogue says."""
    own = group.quota.get(environment.name)
    given = own.model_dump(exclude_none=True) if own else {}
    return replace(environment.speed.quota, **given)


def _workloads(group: Namespace) -> Iterator[str]:
    for name, service in group.services.items():
        yield name
        yield from (f"{name}-{process}" for process in service.processes)


def _foreign(group: Namespace) -> set[str]:
    services = group.services.values()
    return {one.image.name for one in services if isinstance(one, ForeignService)}


def _of_migrations(group: Namespace, helpers: HelperImages) -> set[str]:
    migrating = any(service.migrate for service in group.services.values())
    return set(helpers.names()) if migrating else set()
