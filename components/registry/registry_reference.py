"""The registry as the other stacks see it: read from its owner, never created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

REPOSITORIES = "repositories"
"""The output under which the owner's stack exports Registry.urls."""


class RegistryError(pulumi.RunError):
    """The registry lacks what this stack needs; the message has the remedy."""


@dataclass(frozen=True, kw_only=True)
class RegistryReferenceArgs:
    """owner: the stack to read; services: whose repositories to find there."""

    owner: str
    services: Sequence[str]


class RegistryReference(pulumi.ComponentResource):
    """Reads the repositories of the stack that owns them; creates nothing.

    `up` fails with RegistryError where the owner has no repository for a service: its stack was
    not applied yet, or not since the service was added.
    """

    urls: pulumi.Output[Mapping[str, str]]
    """By service, the image's name without a tag."""

    def __init__(
        self, name: str, args: RegistryReferenceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:RegistryReference", name, None, opts)
        stack = pulumi.StackReference(
            f"{name}-owner",
            stack_name=f"{pulumi.get_organization()}/{pulumi.get_project()}/{args.owner}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.urls = stack.get_output(REPOSITORIES).apply(
            lambda urls: of_services(urls, args.services, args.owner)
        )
        self.register_outputs({"urls": self.urls})


def of_services(
    urls: Mapping[str, str] | None, services: Sequence[str], owner: str
) -> Mapping[str, str]:
    """The entries of `urls` for `services`; RegistryError where one has none."""
    if missing := [service for service in services if service not in (urls or {})]:
        raise RegistryError(
            f"the stack {owner} owns the registry and has no repository for {', '.join(missing)}; "
            f"run `pulumi up --stack {owner}` first"
        )
    return {service: (urls or {})[service] for service in services}
