"""What an environment was made with and cannot change: told before anything is tried.

`pulumi up` exports these values, and the next run compares them with the configuration. The engine
refuses to replace what is protected all the same; here it is said in words of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.environment import Settings
from settings.problems import Problem
from settings.stack import Cluster, Part, Registry

VERSION = "platform:cluster.version"


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A key whose change replaces something."""

    part: Part
    replaces: str
    default: str = ""


FIXED: Mapping[str, Fixed] = {
    "aws:region": Fixed(part="network", replaces="everything"),
    "platform:organization": Fixed(part="cluster", replaces="the cluster, which is named after it"),
    "platform:network.cidr": Fixed(part="network", replaces="the VPC and all that is in it"),
    "platform:cluster.serviceCidr": Fixed(
        part="cluster",
        replaces="the cluster",
        default=str(Cluster.model_fields["service_cidr"].default),
    ),
    "platform:registry.encryption": Fixed(
        part="registry",
        replaces="every image repository",
        default=str(Registry.model_fields["encryption"].default),
    ),
}


def standing(settings: Settings) -> dict[str, str]:
    """What the environment is made with, by the keys of the stack file.

    An adopted network or cluster and another stack's registry are not this one's to replace.
    """
    config = settings.config
    found: dict[str, object] = {
        "aws:region": settings.environment.region,
        "platform:organization": config.organization,
    }
    if config.network.cidr:
        found["platform:network.cidr"] = config.network.cidr
    if not config.cluster.existing:
        found["platform:cluster.serviceCidr"] = config.cluster.service_cidr
        found[VERSION] = config.cluster.version
    if settings.owns_registry:
        found["platform:registry.encryption"] = config.registry.encryption
    return {path: str(value) for path, value in found.items()}


def check(stack: str, config: Mapping[str, Any], stands: Mapping[str, str]) -> Iterator[Problem]:
    """What of the raw `config` contradicts what `stands`, as `standing` said at the last `up`.

    Raw, so that it is told together with everything else that is wrong.
    """
    file = f"Pulumi.{stack}.yaml"
    unprotected = config.get("platform:unprotected") or ()
    for path, fixed in FIXED.items():
        old, new = stands.get(path, ""), _given(config, path) or fixed.default
        if old and old != new and fixed.part not in unprotected:
            yield Problem(
                file,
                path,
                new,
                f"{old} stands; another value replaces {fixed.replaces}, which is protected",
                f"put {old} back, or lose it on purpose: name {fixed.part} in "
                "platform:unprotected, run `pulumi up`, and change the value then",
            )
    if VERSION in stands:
        yield from _upgrade(file, stands[VERSION], _given(config, VERSION))


def _upgrade(file: str, old: str, new: str) -> Iterator[Problem]:
    """Kubernetes goes up by one minor version, and never down."""
    runs, wanted = _minor(old), _minor(new)
    if runs is None or wanted is None:
        return
    if wanted < runs:
        rule, remedy = "Kubernetes has no downgrade", f"put {old} back"
        yield Problem(file, VERSION, new, f"the cluster runs {old}, and {rule}", remedy)
    if wanted > runs + 1:
        yield Problem(
            file,
            VERSION,
            new,
            f"the cluster runs {old}, and EKS upgrades by one minor version at a time",
            f"take 1.{runs + 1} first",
        )


def _minor(version: str) -> int | None:
    major, _, minor = version.partition(".")
    return int(minor) if major == "1" and minor.isdigit() else None


def _given(config: Mapping[str, Any], path: str) -> str:
    """The value at `platform:section.key` of a raw configuration; empty where there is none."""
    section, _, key = path.partition(".")
    value = config.get(section)
    if key:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
