"""external-dns' values and rights. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components import policies
from components.ingress.load_balancer import covered
from settings.aws_account import AwsAccount

NAMESPACE = "external-dns"
SERVICE_ACCOUNT = "external-dns"
RECORD_TYPES = ("A", "AAAA", "CNAME")
"""What an Ingress becomes: an alias of a load balancer of AWS, or the name of another one."""
_MARKS = tuple(f"{kind.lower()}-" for kind in RECORD_TYPES)
"""How the name of the TXT record begins that says whose a record is."""


@dataclass(frozen=True, kw_only=True)
class OwnNames:
    """The names of one environment in the zone."""

    domain: str
    """Services are `<service>.<domain>`."""
    argocd: str
    """The host of Argo CD, which may be outside of it."""
    others: Sequence[str]
    """Domains of other environments inside of it."""
    owner: str
    """What its records are marked with."""

    @property
    def filters(self) -> list[str]:
        """The domains that external-dns looks at."""
        return [self.domain, *self._apart]

    @property
    def patterns(self) -> list[str]:
        """The names that it may change, as IAM compares them."""
        marks = [f"{mark}{host}" for host in self._apart for mark in _MARKS]
        return [f"*.{self.domain}", *self._apart, *marks]

    @property
    def _apart(self) -> list[str]:
        return [] if covered(self.argocd, self.domain) else [self.argocd]


def values(names: OwnNames, *, ingress_class: str, zone_id: Any) -> dict[str, Any]:
    """The chart's values: Ingresses of one class, one zone, and only what it has made itself.

    zone_id: text, or an output of the engine.
    """
    return {
        "serviceAccount": {"name": SERVICE_ACCOUNT},
        "provider": {"name": "aws"},
        "sources": ["ingress"],
        # Names go with their Ingress; what others have made in the zone stays.
        "policy": "sync",
        "registry": "txt",
        "txtOwnerId": names.owner,
        "domainFilters": names.filters,
        "excludeDomains": list(names.others),
        "managedRecordTypes": list(RECORD_TYPES),
        "interval": "1m",
        "triggerLoopOnEvent": True,
        "logFormat": "json",
        "extraArgs": {
            "aws-zone-match-parent": True,
            "aws-zone-type": "public",
            "ingress-class": [ingress_class],
            "zone-id-filter": [zone_id],
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
    }


def policy(account: AwsAccount, names: OwnNames, zone_id: str) -> str:
    """What it may do in Route 53: change its own names in one zone.

    Source: Amazon Route 53 Developer Guide, "Using IAM policy conditions for fine-grained access
    control".
    """
    zone = account.dns_arn(f"hostedzone/{zone_id}")
    changing = "route53:ChangeResourceRecordSets"
    others = [f"*.{domain}" for domain in names.others]
    return policies.document(
        policies.allow(
            "ChangeOwnNames",
            [changing],
            [zone],
            Condition={
                "Null": {f"{changing}NormalizedRecordNames": "false"},
                "ForAllValues:StringLike": {f"{changing}NormalizedRecordNames": names.patterns},
                "ForAllValues:StringEquals": {f"{changing}RecordTypes": [*RECORD_TYPES, "TXT"]},
            },
        ),
        policies.allow("ReadNames", ["route53:ListResourceRecordSets"], [zone]),
        policies.allow("FindZone", ["route53:ListHostedZones"], ["*"]),
        *(
            [
                {
                    "Sid": "LeaveOtherEnvironments",
                    "Effect": "Deny",
                    "Action": [changing],
                    "Resource": [zone],
                    "Condition": {
                        "ForAnyValue:StringLike": {f"{changing}NormalizedRecordNames": others}
                    },
                }
            ]
            if others
            else []
        ),
    )
