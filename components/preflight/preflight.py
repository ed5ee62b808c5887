"""Everything that AWS tells before it is asked to create anything, in one report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

import pulumi

from components.existing import check as existing
from components.preflight import access, places, quotas, taken
from components.preflight.asking import PreflightArgs, UnansweredError, ask
from settings.files import Sources
from settings.problems import Problem, SettingsError

OFFLINE = "TWO_SPEED_OFFLINE"
"""The environment variable that lets a preview ask nothing."""
Check = Callable[[PreflightArgs], Iterator[Problem]]


def _existing(args: PreflightArgs) -> Iterator[Problem]:
    """The network, and the cluster in it, that are used as they are."""
    if network := args.network.existing:
        _, problems = ask(
            existing.find,
            network=network,
            cluster=args.cluster,
            file=args.file,
            opts=pulumi.InvokeOptions(),
        )
        yield from problems


CHECKS: Mapping[str, Check] = {
    "who runs Pulumi": access.caller,
    "the principals of platform:cluster.access": access.principals,
    "the existing network and cluster": _existing,
    "the zones": places.zones,
    "the instance types": places.instance_types,
    "the hosted zone": places.hosted_zone,
    "the quotas of the network": quotas.network,
    "the quotas of the nodes": quotas.nodes,
    "the name of the cluster": taken.cluster,
    "the names of the image repositories": taken.repositories,
    "the OpenID Connect providers": taken.issuers,
}
"""By what they look at, in the order of the report."""


def preflight(args: PreflightArgs, sources: Sources) -> None:
    """Ask AWS about everything that would fail later. Nothing is created.

    RunError reports all problems together. What AWS does not answer, and in a preview with
    TWO_SPEED_OFFLINE=1 everything, is a warning. sources: the lines of the files.
    """
    if os.environ.get(OFFLINE) == "1":
        _offline()
        return
    problems: list[Problem] = []
    for what, check in CHECKS.items():
        try:
            problems += check(args)
        except UnansweredError as error:
            pulumi.log.warn(f"not checked: {what}, because AWS did not answer: {error}")
    if problems:
        raise pulumi.RunError(str(SettingsError(sources.located(problems))))


def _offline() -> None:
    if not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(f"{OFFLINE}=1 is for previews; unset it, nothing was created")
    pulumi.log.warn(f"{OFFLINE}=1, so not checked: {', '.join(CHECKS)}")
