"""The Kubernetes versions that EKS supports, each with the add-on versions that belong to it.

Source: "Amazon EKS Kubernetes release calendar" and the add-on tables of the Amazon EKS user
guide, and `aws eks describe-addon-versions --kubernetes-version <version>`. The table is data
and no clock is read: that a version's support has ended is a change of this file, so that a preview
of the same commit is the same on any day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

AddonName = Literal[
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "eks-pod-identity-agent",
    "aws-ebs-csi-driver",
    "metrics-server",
]
METRICS: AddonName = "metrics-server"
"""The add-on that autoscaling reads from, and the only one that Auto Mode does not bring. Without a
version in the settings EKS chooses its own for the cluster's Kubernetes version."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One minor version of Kubernetes on EKS."""

    standard_support_ends: str
    """The day on which extended support, and its price, begins; year-month-day."""
    standard: bool = True
    """Whether that day was still to come; afterwards AWS upgrades clusters of fast environments."""
    kube_proxy: str
    coredns: str

    @property
    def addons(self) -> Mapping[AddonName, str]:
        """The add-ons that every cluster has, at the versions that were read for this release."""
        return {
            # These two follow the node's kernel and AWS's API, not the Kubernetes version.
            "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            "vpc-cni": "v1.22.4-eksbuild.3",
            "kube-proxy": self.kube_proxy,
            "coredns": self.coredns,
        }


RELEASES: Mapping[str, Release] = MappingProxyType(
    {
        "1.33": Release(
            standard_support_ends="2026-07-29",
            standard=False,
            kube_proxy="v1.33.10-eksbuild.2",
            coredns="v1.13.2-eksbuild.4",
        ),
        "1.34": Release(
            standard_support_ends="2026-12-02",
            kube_proxy="v1.34.6-eksbuild.13",
            coredns="v1.13.2-eksbuild.11",
        ),
        "1.35": Release(
            standard_support_ends="2027-03-27",
            kube_proxy="v1.35.3-eksbuild.13",
            coredns="v1.14.3-eksbuild.3",
        ),
        "1.36": Release(
            standard_support_ends="2027-08-02",
            kube_proxy="v1.36.0-eksbuild.14",
            coredns="v1.14.3-eksbuild.3",
        ),
    }
)


def supported(version: str) -> str:
    """`version`, or ValueError when EKS does not support it."""
    if version not in RELEASES:
        raise ValueError(
            f"is not supported on EKS; use one of {versions()}, one minor version up at a time"
        )
    return version


def versions() -> str:
    """All of them in a sentence, with what there is to know before one is chosen."""
    return ", ".join(
        f"{name} (until {release.standard_support_ends})"
        if release.standard
        else f"{name} (extended support, in safe environments alone)"
        for name, release in RELEASES.items()
    )
