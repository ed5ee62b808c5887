"""Values that an environment was created with and cannot change.

`pulumi up` exports these values, and the next run compares them with the configuration. The engine
refuses to replace what is protected all the same; this report uses the words of the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.cluster import ClusterConfig
from settings.environment import Settings
from settings.files import stack_file
from settings.network import NetworkConfig, control_plane_zones
from settings.parsing import raw_value
from settings.problems import Problem
from settings.registry import RegistryConfig
from settings.stack import Protectable

VERSION = "platform:cluster.version"
COMPUTE = "platform:cluster.compute"
OUTPUT = "standing"
"""The stack output that holds the values. The name is in the state of environments that are up."""
ANEW: tuple[Protectable, ...] = ("applications", "cluster", "network")
"""What is deleted when an environment is made anew: everything except the images."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A key whose change replaces something."""

    replaces: str
    allowed_by: tuple[Protectable, ...] = ANEW
    """What must be unprotected for it; empty: it is never allowed."""
    default: object = None
    relevant: Callable[[Any], object] = lambda value: value
    """What of the value counts."""


def _control_plane_zones(zones: list[str]) -> str:
    """The zones of the control plane, in any order."""
    return " and ".join(sorted(map(str, control_plane_zones(zones))))


FIXED: Mapping[str, Fixed] = {
    "aws:region": Fixed(replaces="everything", allowed_by=()),
    "platform:organization": Fixed(replaces="whatever is named after it, such as the cluster"),
    "platform:network.cidr": Fixed(replaces="the VPC and all that is in it"),
    "platform:network.existing.vpc": Fixed(replaces="the cluster, which lives in it"),
    "platform:network.zones": Fixed(
        replaces="the cluster, whose control plane stays in its first two zones",
        default=NetworkConfig.model_fields["zones"].default,
        relevant=_control_plane_zones,
    ),
    "platform:cluster.serviceCidr": Fixed(
        replaces="the cluster", default=ClusterConfig.model_fields["service_cidr"].default
    ),
    "platform:registry.encryption": Fixed(
        replaces="every image repository",
        allowed_by=(),
        default=RegistryConfig.model_fields["encryption"].default,
    ),
}


def values(settings: Settings) -> dict[str, str]:
    """What the environment is made with, by the keys of the stack file.

    An existing network or cluster and another stack's registry are not this one's to replace.
    """
    config = settings.config
    found: dict[str, object] = {
        "aws:region": settings.environment.region,
        "platform:organization": config.organization,
    }
    if config.network.cidr:
        found["platform:network.cidr"] = config.network.cidr
        found["platform:network.zones"] = _control_plane_zones(config.network.zones)
    if not config.cluster.existing:
        if config.network.existing:
            found["platform:network.existing.vpc"] = config.network.existing.vpc
        found["platform:cluster.serviceCidr"] = config.cluster.service_cidr
        found[VERSION] = config.cluster.version
        if config.cluster.compute:
            found[COMPUTE] = config.cluster.compute
    if settings.owns_registry:
        found["platform:registry.encryption"] = config.registry.encryption
    return {path: str(value) for path, value in found.items()}


def check(stack: str, config: Mapping[str, Any], applied: Mapping[str, str]) -> Iterator[Problem]:
    """What of the raw `config` contradicts what was `applied`: `values` at the last `up`.

    Raw, so that it is reported together with everything else that is wrong.
    """
    file = stack_file(stack)
    unprotected = config.get("platform:unprotected") or ()
    for path, fixed in FIXED.items():
        old, new = applied.get(path, ""), _new(config, path, fixed)
        allowed = fixed.allowed_by and all(one in unprotected for one in fixed.allowed_by)
        if old and old != new and not allowed:
            to = f" to {new}" if new else ""
            rule = f"cannot change from {old}{to}: that would replace {fixed.replaces}"
            yield Problem(file, path, "", rule, _remedy(old, fixed))
    if applied.get(COMPUTE) == "auto" and raw_value(config, COMPUTE) is None:
        rule = "the cluster runs in Auto Mode, and AWS leaves it so where nothing is said"
        yield Problem(file, COMPUTE, "", rule, "write auto; or nodeGroups: docs/operate.md")
    if VERSION in applied and "cluster" not in unprotected:
        yield from _upgrade(file, applied[VERSION], str(raw_value(config, VERSION)))


def _remedy(old: str, fixed: Fixed) -> str:
    back = f"put {old} back"
    if not fixed.allowed_by:
        return back
    return (
        f"{back}; or make the environment anew, which starts with naming "
        f"{', '.join(fixed.allowed_by)} in platform:unprotected: docs/operate.md"
    )


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


def _new(config: Mapping[str, Any], path: str, fixed: Fixed) -> str:
    found = raw_value(config, path)
    value = fixed.default if found is None else found
    try:
        return "" if value is None else str(fixed.relevant(value))
    except TypeError:
        return str(value)  # of another type, which is reported elsewhere
