"""`platform:network`: a new VPC, or an existing one."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings import ranges
from settings.model import Matching, Model, different

ZoneLetter = Annotated[str, Matching(r"[a-f]", "must be the letter of an availability zone")]
SubnetId = Annotated[str, Matching(r"subnet-[0-9a-f]{8,17}", "must be a subnet's id")]
VpcId = Annotated[str, Matching(r"vpc-[0-9a-f]{8,17}", "must be a VPC's id")]


def control_plane_zones(zones: list[str]) -> list[str]:
    """The zones of the control plane, which cannot change: the first two of the network."""
    return zones[:2]


class ExistingNetwork(Model):
    """An existing VPC, used as it is."""

    vpc: VpcId = Field(description="its id")
    private_subnets: Annotated[list[SubnetId], different] = Field(
        min_length=2,
        description="for nodes, in at least two zones; the first two zones are the control plane's",
    )
    public_subnets: Annotated[list[SubnetId], different] = Field(
        default=[], description="for load balancers that face the internet"
    )


class NetworkConfig(Model):
    """A new VPC, or the ids of an existing one."""

    cidr: Annotated[IPv4Network, AfterValidator(ranges.of_a_network)] | None = Field(
        None, description="the VPC's private range, /16 to /22"
    )
    zones: Annotated[list[ZoneLetter], different] = Field(
        ["a", "b"],
        min_length=2,
        max_length=3,
        description="letters of two or three availability zones",
    )
    nat: Literal["single", "per-zone"] = Field(
        "single", description="one NAT gateway for all zones, or one for each"
    )
    registry_endpoints: bool = Field(
        True,
        description="image pulls stay inside AWS, by interface endpoints that cost by zone and "
        "hour; without them they leave by the NAT gateway",
    )
    flow_logs: bool = Field(False, description="record every connection in CloudWatch")
    existing: ExistingNetwork | None = Field(None, description="in place of cidr")

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.cidr is None) == (self.existing is None):
            raise ValueError("must have either cidr (a new VPC) or existing (an existing one)")
        if self.existing and (keys := self.keys_beside("existing")):
            raise ValueError(f"has {keys} beside existing, and an existing VPC is left as it is")
        return self
