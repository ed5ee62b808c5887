"""A certificate that AWS renews by itself, because its names stay proven in the zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from settings.naming import Names


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """Which names it is for."""

    domain: str
    """It is for `*.<domain>`."""
    others: Sequence[str]
    """Names that this does not cover."""
    zone_id: pulumi.Input[str]
    """The hosted zone that all of them are in."""
    names: Names


class Certificate(pulumi.ComponentResource):
    """A certificate of AWS Certificate Manager for `*.<domain>` and further names.

    With a record in the zone for each name, by which AWS sees that it is ours, now and at each
    renewal. `arn` is known once AWS has seen them, after minutes.
    """

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Certificate", name, None, opts)
        self._prefix = name
        own = pulumi.ResourceOptions(parent=self)
        every = f"*.{args.domain}"
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=every,
            subject_alternative_names=[every, *args.others],
            validation_method="DNS",
            tags=args.names.tags(Name=args.names.of("ingress")),
            opts=own,
        )
        records = [
            self._proof(certificate, proven, args.zone_id) for proven in (every, *args.others)
        ]
        valid = aws.acm.CertificateValidation(
            f"{name}-valid",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records],
            opts=own,
        )
        self.arn = valid.certificate_arn
        self.register_outputs({"arn": self.arn})

    def _proof(
        self, certificate: aws.acm.Certificate, proven: str, zone_id: pulumi.Input[str]
    ) -> aws.route53.Record:
        """The record that proves one name."""

        def option(key: str) -> pulumi.Output[str]:
            return certificate.domain_validation_options.apply(
                lambda options: str(getattr(_option(options, proven), key))
            )

        return aws.route53.Record(
            f"{self._prefix}-proof-of-{proven.replace('*', 'all')}",
            zone_id=zone_id,
            name=option("resource_record_name"),
            type=option("resource_record_type"),
            records=[option("resource_record_value")],
            ttl=300,
            # A killed run leaves it behind; AWS names the same record for the same name each time.
            allow_overwrite=True,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _option(options: Sequence[Any], name: str) -> Any:
    return next(option for option in options if option.domain_name == name)
