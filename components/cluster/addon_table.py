"""The add-ons of a cluster: which, at what version, in what order, with whose rights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from settings.cluster import ClusterConfig
from settings.eks_releases import METRICS, RELEASES, AddonName

POD_IDENTITY: AddonName = "eks-pod-identity-agent"
NAMESPACE = "kube-system"
"""Where EKS installs every add-on of the table."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """An add-on's own role, by way of Pod Identity."""

    service_account: str
    managed_policy: str


@dataclass(frozen=True, kw_only=True)
class Addon:
    """One add-on of the table."""

    name: AddonName
    before_nodes: bool
    """Nodes need it to become ready; otherwise it needs nodes to become active itself."""
    identity: Identity | None = None
    configuration: Mapping[str, str] | None = None
    kept: bool = False
    """Its objects outlive it: on the way to Auto Mode, nodes of the old groups still use them."""

    @property
    def configuration_values(self) -> str | None:
        return json.dumps(self.configuration) if self.configuration else None


ADDONS: tuple[Addon, ...] = (
    # First, because the others get their rights through it.
    Addon(name=POD_IDENTITY, before_nodes=True),
    Addon(
        name="vpc-cni",
        before_nodes=True,
        identity=Identity(service_account="aws-node", managed_policy="AmazonEKS_CNI_Policy"),
        configuration={"enableNetworkPolicy": "true"},  # otherwise NetworkPolicies do nothing
        kept=True,
    ),
    Addon(name="kube-proxy", before_nodes=True),
    Addon(name="coredns", before_nodes=False, kept=True),
    Addon(
        name="aws-ebs-csi-driver",
        before_nodes=False,
        identity=Identity(
            service_account="ebs-csi-controller-sa",
            managed_policy="service-role/AmazonEBSCSIDriverPolicy",
        ),
    ),
    Addon(name=METRICS, before_nodes=False),
)
"""In the order of their creation."""


def versions(config: ClusterConfig) -> dict[AddonName, str | None]:
    """The add-ons of a cluster and their versions: the release's own, and what settings say.

    None where EKS chooses. Auto Mode has the same without add-ons, except for metrics.
    """
    own = {} if config.auto else RELEASES[config.version].addons
    return {METRICS: None, **own, **config.addons}
