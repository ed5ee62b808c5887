"""Helm's record of a release, which a killed run leaves and which stops the next run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import Output, ResourceHookArgs, ResourceHookBinding
from pulumi.resource_hooks import ResourceHookFunction

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api

UNFINISHED = "status in (pending-install,pending-upgrade,pending-rollback)"
"""States of an unfinished operation; with one of them Helm starts no other."""


def cleanup_hooks(kubeconfig: Output[str]) -> ResourceHookBinding:
    """Hooks of a release that remove what a killed run left of its record.

    Pulumi's lock excludes other runs. Before a creation Pulumi knows of no release, so every record
    is of a run that was killed; without it Helm takes over the existing objects. Before an update
    only unfinished records are removed.
    """

    def before(*selectors: str) -> ResourceHookFunction:
        async def remove(args: ResourceHookArgs) -> None:
            release: Mapping[str, Any] = args.new_inputs or {}
            namespace = release["namespace"]
            selector = ",".join(("owner=helm", f"name={release['name']}", *selectors))
            file: Any = await kubeconfig.future()
            if await asyncio.to_thread(forget, core_api(file), namespace, selector):
                pulumi.log.warn(
                    f"removed Helm's record of {release['name']} in the namespace {namespace}: "
                    "a run was killed before it could finish it"
                )

        return remove

    return ResourceHookBinding(before_create=[before()], before_update=[before(UNFINISHED)])


def forget(api: CoreV1Api, namespace: str, selector: str) -> bool:
    """Delete the records in `namespace` that match the label selector; whether there were any."""
    found = bool(api.list_namespaced_secret(namespace, label_selector=selector).items)
    if found:
        api.delete_collection_namespaced_secret(namespace, label_selector=selector)
    return found


def core_api(kubeconfig: str) -> CoreV1Api:
    """The cluster's API, reached as the kubeconfig says."""
    # Imported here, because it is slow and no preview needs it.
    from kubernetes import client, config  # noqa: PLC0415

    client_of = config.new_client_from_config_dict(json.loads(kubeconfig))  # type: ignore[no-untyped-call]
    return client.CoreV1Api(client_of)
