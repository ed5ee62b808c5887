"""AWS in memory: the lab's provider with moto inside the process, and shorthands for its types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.aws.api import Aws, account_of_credentials
from lab.aws.beyond_moto import STANDINS
from lab.aws.journal import Journal
from lab.aws.kept import Kept
from lab.aws.kinds import KINDS
from lab.aws.resources import Resources
from lab.aws.table import Kind, Values
from lab.site import Site

REGION = "eu-central-1"
ACCOUNT = "123456789012"

VPC = KINDS["aws:ec2/vpc:Vpc"]
SUBNET = KINDS["aws:ec2/subnet:Subnet"]
ROLE = KINDS["aws:iam/role:Role"]
REPOSITORY = KINDS["aws:ecr/repository:Repository"]
CLUSTER = KINDS["aws:eks/cluster:Cluster"]
NODE_GROUP = KINDS["aws:eks/nodeGroup:NodeGroup"]
ACCESS_ENTRY = KINDS["aws:eks/accessEntry:AccessEntry"]
ADDON = KINDS["aws:eks/addon:Addon"]
LAUNCH_TEMPLATE = KINDS["aws:ec2/launchTemplate:LaunchTemplate"]

TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"eks.amazonaws.com"}}]}'
)


@dataclass(frozen=True)
class Made:
    """A resource that Pulumi knows."""

    kind: Kind
    urn: str
    id: str
    inputs: Values
    state: Values


@dataclass(frozen=True)
class Memory:
    """One account in memory, and what a Pulumi engine would ask of the provider."""

    resources: Resources

    @property
    def aws(self) -> Aws:
        return self.resources.aws

    def checked(self, kind: Kind, old: Values | None = None, **inputs: Any) -> Values:
        """The inputs after `check`, which must not object."""
        checked, failures = self.resources.check(kind, urn(kind), old or {}, inputs)
        assert not failures
        return checked

    def refusals(self, kind: Kind, old: Values | None = None, **inputs: Any) -> list[str]:
        _, failures = self.resources.check(kind, urn(kind), old or {}, inputs)
        return [f"{failure.property}: {failure.reason}" for failure in failures]

    def create(self, kind: Kind, logical: str = "it", /, **inputs: Any) -> Made:
        checked = self.checked(kind, **inputs)
        identifier, state = self.resources.create(kind, urn(kind, logical), checked)
        self.resources.journal.known(urn(kind, logical))
        return Made(kind, urn(kind, logical), identifier, checked, state)

    def update(self, made: Made, **changes: Any) -> Made:
        inputs = self.checked(made.kind, made.inputs, **{**made.inputs, **changes})
        state = self.resources.update(
            made.kind, made.urn, made.id, old=made.state, old_inputs=made.inputs, new=inputs
        )
        return Made(made.kind, made.urn, made.id, inputs, state)

    def refreshed(self, made: Made) -> Made | None:
        found = self.resources.read(made.kind, made.urn, made.id, made.state, made.inputs)
        if found is None:
            return None
        identifier, state, inputs = found
        return Made(made.kind, made.urn, identifier, inputs, state)

    def differences(self, made: Made, **changes: Any) -> dict[str, str]:
        """Path to kind of change; one that replaces ends in `!`."""
        inputs = self.checked(made.kind, made.inputs, **{**made.inputs, **changes})
        found = self.resources.diff(made.kind, made.urn, made.inputs, inputs)
        return {one.path: one.change + "!" * one.replaces for one in found}

    def delete(self, made: Made) -> None:
        self.resources.delete(made.kind, made.urn, made.id, made.state)


def urn(kind: Kind, name: str = "it") -> str:
    return f"urn:pulumi:dev::two-speed-gitops::{kind.pulumi_type}::{name}"


def memory(home: Path) -> Memory:
    """A fresh account; moto's mock must be on."""
    site = Site(home=home)
    aws = Aws(
        region=REGION,
        account=account_of_credentials(REGION, None, [ACCOUNT]),
        site=site,
        kept=Kept(site.kept),
        standins=STANDINS,
    )
    return Memory(Resources(aws=aws, journal=Journal(home / "aws" / "creations")))


def two_subnets(account: Memory, cidr: str = "10.0.0.0/16") -> list[str]:
    """Subnets in two zones of a new VPC."""
    vpc = account.create(VPC, cidrBlock=cidr)
    prefix = cidr.rsplit(".", 2)[0]
    return [
        account.create(
            SUBNET,
            zone,
            vpcId=vpc.id,
            cidrBlock=f"{prefix}.{number}.0/24",
            availabilityZone=f"{REGION}{zone}",
        ).id
        for number, zone in enumerate("ab")
    ]


def cluster(account: Memory, **changes: Any) -> Made:
    """A cluster named acme-dev with its role and subnets."""
    role = account.create(ROLE, name="acme-dev-cluster", assumeRolePolicy=TRUST)
    wanted = {
        "name": "acme-dev",
        "roleArn": role.state["arn"],
        "version": "1.35",
        "vpcConfig": {"subnetIds": two_subnets(account)},
        "accessConfig": {
            "authenticationMode": "API",
            "bootstrapClusterCreatorAdminPermissions": False,
        },
    }
    return account.create(CLUSTER, **{**wanted, **changes})
