"""`platform:ingress`: how people reach services and Argo CD."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Annotated, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from settings import ranges
from settings.charts import Chart
from settings.limits import MAX_VISITORS
from settings.model import DnsLabel, DomainName, Matching, Model, different

CertificateArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}",
        "must be the ARN of a certificate of AWS Certificate Manager",
    ),
]
_Word = Annotated[
    str,
    Matching("internal|internet", "must be internal, internet, or a list of public ranges"),
    WithJsonSchema({"enum": ["internal", "internet"]}),
]
_Ranges = Annotated[
    list[Annotated[IPv4Network, AfterValidator(ranges.of_visitors)]],
    different,
    Field(min_length=1, max_length=MAX_VISITORS),
]
Reach = Annotated[
    Annotated[_Word, Tag("<word>")] | Annotated[_Ranges, Tag("<ranges>")],
    Discriminator(lambda given: "<ranges>" if isinstance(given, list) else "<word>"),
]


class IngressConfig(Model):
    """The way in: one load balancer for all services and Argo CD, and their names."""

    zone: DomainName | None = Field(
        None,
        description="the public Route 53 hosted zone, in the stack's account, in which the domains "
        "are; the names are made there, and the certificate is proven there",
    )
    reach: Reach = Field(
        "internal",
        description="who reaches the load balancer: internal (the network and what is connected to "
        "it), internet (everybody), or a list of public ranges",
    )
    certificate: CertificateArn | None = Field(
        None,
        description="an ACM certificate for *.<domain> and Argo CD's host that exists",
    )
    ingress_class: DnsLabel | None = Field(
        None,
        alias="class",
        description="an IngressClass that exists, whose controller brings load balancer and "
        "certificates",
    )
    controller_chart: Chart = Field(
        Chart.model_validate({}),
        description="of the AWS Load Balancer Controller, which clusters with node groups get; in "
        "place of the pinned one",
    )
    dns_chart: Chart = Field(
        Chart.model_validate({}), description="of external-dns; in place of the pinned one"
    )

    @model_validator(mode="after")
    def one_load_balancer(self) -> Self:
        given = {"certificate", "reach"} & self.model_fields_set
        if self.ingress_class and given:
            raise ValueError(
                f"has {', '.join(self.written(*given))} beside class, whose controller decides it; "
                "remove the one or the other"
            )
        if not (self.ingress_class or self.zone or self.certificate):
            raise ValueError(
                "has no zone, in which a certificate would be proven and the names made; name a "
                "zone, or a certificate that exists, or the class of a controller that exists"
            )
        return self

    def class_name(self, *, auto: bool) -> str:
        """The IngressClass of the environment's Ingresses; auto: in a cluster in Auto Mode.

        A class keeps its controller for life, so the controllers' classes differ in name.
        """
        return self.ingress_class or ("alb-auto" if auto else "alb")

    @property
    def balances(self) -> bool:
        """Whether the program brings the load balancer."""
        return self.ingress_class is None

    @property
    def internal(self) -> bool:
        """Whether the load balancer has private addresses."""
        return self.reach == "internal"

    @property
    def visitors(self) -> Sequence[IPv4Network]:
        """The public ranges that may come in; empty: no range is left out."""
        return [] if isinstance(self.reach, str) else self.reach
