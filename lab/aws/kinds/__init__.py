"""Every resource type that the lab plays, by its token."""

from __future__ import annotations

from lab.aws.kinds import clusters, compute, identity, keys, logs, network, registry, security
from lab.aws.table import Kind

KINDS: dict[str, Kind] = {
    kind.pulumi_type: kind
    for module in (network, security, compute, logs, registry, keys, identity, clusters)
    for kind in module.KINDS
}
