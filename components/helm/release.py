"""How this program installs a chart: pinned, atomic, and safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Input, Output, ResourceOptions

from components.helm import record as helm_record


def helm_release(
    name: str,
    *,
    kubeconfig: Output[str],
    owned: bool,
    release: str,
    namespace: Input[str],
    chart: str,
    repository: str,
    version: str,
    values: Mapping[str, Any],
    timeout_seconds: int,
    opts: ResourceOptions,
) -> k8s.helm.v3.Release:
    """The chart as the Helm release `release`, which is rolled back if it is not ready in time.

    kubeconfig: how to reach the cluster. owned: whether this program made the cluster; in another
    one, records of a release of that name are kept, because they may belong to others.
    """
    hooks = helm_record.cleanup_hooks(kubeconfig) if owned else None
    return k8s.helm.v3.Release(
        name,
        name=release,
        namespace=namespace,
        chart=chart,
        version=version,
        repository_opts={"repo": repository},
        values=values,
        # A failed release is removed, so that the next run starts clean.
        atomic=True,
        cleanup_on_fail=True,
        timeout=timeout_seconds,
        opts=ResourceOptions.merge(opts, ResourceOptions(hooks=hooks)),
    )
