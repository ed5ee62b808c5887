"""The network: a new VPC, or an existing one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pulumi_aws as aws

from components import policies
from components.existing import network as existing_network
from components.existing.check import check
from components.network import subnets
from settings.aws_account import AwsAccount
from settings.cluster import ClusterConfig
from settings.files import Sources
from settings.naming import Names
from settings.network import ExistingNetwork, NetworkConfig, control_plane_zones

WayOut = Sequence[pulumi.CustomResource]
"""A route to the internet, and the association that gives it to a subnet."""
ANYWHERE = "0.0.0.0/0"
REGISTRY_READING = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeImages",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "ecr:ListImages",
)
REGISTRY_KEEPING = (
    "ecr:CreateRepository",
    "ecr:DeleteLifecyclePolicy",
    "ecr:DeleteRepository",
    "ecr:DeleteRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:ListTagsForResource",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
    "ecr:TagResource",
    "ecr:UntagResource",
)
"""What Pulumi asks of a registry, should it run inside the network."""


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What the network is created from."""

    config: NetworkConfig
    cluster: ClusterConfig
    """The cluster in it: checked together with an existing network."""
    names: Names
    account: AwsAccount
    protected: bool
    """Pulumi refuses to delete or replace the VPC."""
    log_retention_days: int
    permissions_boundary: str | None
    """The permissions boundary of every role, if there is one."""
    file: str
    """The stack file, for reports about a network that exists."""
    sources: Sources
    """The lines of the files, for the same reports."""


class Network(pulumi.ComponentResource):
    """The network of the cluster.

    A new VPC has a default security group that lets nothing through; in each zone a large
    private subnet for nodes and pods and a small public one for load balancers, tagged so that
    load balancers find them; an internet gateway, one NAT gateway or one for each zone;
    endpoints that keep image pulls inside AWS: S3, and unless the settings leave them out ECR,
    through which images can be read by principals of this account and not pushed; flow logs where
    they are wanted.

    With `existing`: nothing is created. The VPC, its subnets and the cluster, if that exists too,
    are looked up; RunError lists everything that does not fit.
    """

    vpc_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    """For nodes: one subnet in each zone, with a way out."""
    control_plane_subnet_ids: pulumi.Output[Sequence[str]]
    """For the control plane's own interfaces, in the first two zones: EKS accepts no subnet in a
    zone that the cluster was not created with."""
    public_subnet_ids: pulumi.Output[Sequence[str]]
    """For load balancers that face the internet; may be empty in an existing network."""

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Network", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        if args.config.existing:
            self._use(args.config.existing)
        elif args.config.cidr:
            self._create(args.config.cidr)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "privateSubnetIds": self.private_subnet_ids,
                "publicSubnetIds": self.public_subnet_ids,
            }
        )

    def _use(self, existing: ExistingNetwork) -> None:
        found = check(
            existing,
            self._args.cluster,
            file=self._args.file,
            sources=self._args.sources,
            opts=pulumi.InvokeOptions(parent=self),
        )
        self.vpc_id = pulumi.Output.from_input(existing.vpc)
        self.private_subnet_ids = pulumi.Output.from_input(existing.private_subnets)
        self.control_plane_subnet_ids = pulumi.Output.from_input(
            existing_network.of_the_control_plane(existing, found)
        )
        self.public_subnet_ids = pulumi.Output.from_input(existing.public_subnets)

    def _create(self, cidr: IPv4Network) -> None:
        config = self._args.config
        zones = subnets.divide(cidr, config.zones)
        vpc = self._vpc(cidr)
        public = {
            zone.letter: self._subnet(vpc, zone.letter, "public", zone.public) for zone in zones
        }
        private = {
            zone.letter: self._subnet(vpc, zone.letter, "private", zone.private) for zone in zones
        }
        public_ways = self._public_ways_out(vpc, public)
        with_nat = config.zones if config.nat == "per-zone" else config.zones[:1]
        gateways = {
            letter: self._nat(letter, public[letter], public_ways[letter]) for letter in with_nat
        }
        tables, private_ways = {}, {}
        for letter, subnet in private.items():
            gateway = gateways.get(letter, gateways[config.zones[0]])
            tables[letter] = self._table(vpc, f"private-{letter}")
            private_ways[letter] = self._private_way_out(letter, tables[letter], subnet, gateway)
        self._endpoints(vpc, cidr, private, tables)
        if config.flow_logs:
            self._flow_logs(vpc)

        self.vpc_id = vpc.id
        self.private_subnet_ids = _reachable(config.zones, private, private_ways)
        first = control_plane_zones(config.zones)
        self.control_plane_subnet_ids = _reachable(first, private, private_ways)
        self.public_subnet_ids = _reachable(config.zones, public, public_ways)

    def _vpc(self, cidr: IPv4Network) -> aws.ec2.Vpc:
        vpc = aws.ec2.Vpc(
            f"{self._prefix}-vpc",
            cidr_block=str(cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,  # the endpoints answer under the services' own names
            tags=self._tags("vpc"),
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.protected),
        )
        aws.ec2.DefaultSecurityGroup(
            f"{self._prefix}-default-security-group",
            vpc_id=vpc.id,  # and no rules: taking it over removes those that AWS put there
            tags=self._tags("default-unused"),
            opts=self._own(),
        )
        return vpc

    def _subnet(
        self, vpc: aws.ec2.Vpc, letter: str, kind: str, cidr: IPv4Network
    ) -> aws.ec2.Subnet:
        role = existing_network.LOAD_BALANCER_TAGS[kind]
        return aws.ec2.Subnet(
            f"{self._prefix}-{kind}-{letter}",
            vpc_id=vpc.id,
            cidr_block=str(cidr),
            availability_zone=f"{self._args.account.region}{letter}",
            map_public_ip_on_launch=False,
            tags={**self._tags(f"{kind}-{letter}"), role: "1"},
            opts=self._own(),
        )

    def _public_ways_out(
        self, vpc: aws.ec2.Vpc, public: dict[str, aws.ec2.Subnet]
    ) -> dict[str, WayOut]:
        gateway = aws.ec2.InternetGateway(
            f"{self._prefix}-internet",
            vpc_id=vpc.id,
            tags=self._tags("internet"),
            opts=self._own(),
        )
        table = self._table(vpc, "public")
        route = aws.ec2.Route(
            f"{self._prefix}-public-out",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._own(),
        )
        return {
            letter: [route, self._associate(f"public-{letter}", table, subnet)]
            for letter, subnet in public.items()
        }

    def _nat(self, letter: str, subnet: aws.ec2.Subnet, way_out: WayOut) -> aws.ec2.NatGateway:
        address = aws.ec2.Eip(
            f"{self._prefix}-nat-{letter}-address",
            domain="vpc",
            tags=self._tags(f"nat-{letter}"),
            opts=self._own(),
        )
        return aws.ec2.NatGateway(
            f"{self._prefix}-nat-{letter}",
            allocation_id=address.allocation_id,
            subnet_id=subnet.id,
            tags=self._tags(f"nat-{letter}"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=way_out),
        )

    def _private_way_out(
        self,
        letter: str,
        table: aws.ec2.RouteTable,
        subnet: aws.ec2.Subnet,
        gateway: aws.ec2.NatGateway,
    ) -> WayOut:
        """Each zone has its own route table, so adding a NAT gateway updates routes and replaces
        nothing."""
        route = aws.ec2.Route(
            f"{self._prefix}-private-{letter}-out",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            nat_gateway_id=gateway.id,
            opts=self._own(),
        )
        return [route, self._associate(f"private-{letter}", table, subnet)]

    def _endpoints(
        self,
        vpc: aws.ec2.Vpc,
        cidr: IPv4Network,
        private: dict[str, aws.ec2.Subnet],
        tables: dict[str, aws.ec2.RouteTable],
    ) -> None:
        service = f"com.amazonaws.{self._args.account.region}"
        ecr = f"cn.{service}" if self._args.account.partition == "aws-cn" else service
        aws.ec2.VpcEndpoint(
            f"{self._prefix}-s3",
            vpc_id=vpc.id,
            service_name=f"{service}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables.values()],
            tags=self._tags("s3"),
            opts=self._own(),
        )
        if not self._args.config.registry_endpoints:
            return
        group = self._endpoint_group(vpc, cidr)
        for api in ("api", "dkr"):
            aws.ec2.VpcEndpoint(
                f"{self._prefix}-ecr-{api}",
                vpc_id=vpc.id,
                service_name=f"{ecr}.ecr.{api}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private.values()],
                security_group_ids=[group.id],
                policy=self._no_pushing(),
                tags=self._tags(f"ecr-{api}"),
                opts=self._own(),
            )

    def _endpoint_group(self, vpc: aws.ec2.Vpc, cidr: IPv4Network) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._prefix}-endpoints",
            name=self._names.of("endpoints"),
            description="Interface endpoints: HTTPS from inside the VPC",
            vpc_id=vpc.id,
            tags=self._tags("endpoints"),
            opts=self._own(),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._prefix}-endpoints-https",
            security_group_id=group.id,
            description="HTTPS from inside the VPC",
            cidr_ipv4=str(cidr),
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=self._tags("endpoints-https"),
            opts=self._own(),
        )
        return group

    def _no_pushing(self) -> str:
        """Allows reads of any registry, because EKS's own images come from AWS's accounts, and no
        push."""
        own = self._args.account
        ours: dict[str, Any] = {
            "Principal": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": own.id}},
        }
        repositories = own.image_repository_arn("*")
        return policies.document(
            policies.allow("ReadImages", REGISTRY_READING, ["*"], **ours),
            policies.allow("KeepRepositories", REGISTRY_KEEPING, [repositories], **ours),
        )

    def _flow_logs(self, vpc: aws.ec2.Vpc) -> None:
        logs = aws.cloudwatch.LogGroup(
            f"{self._prefix}-flow-logs",
            name=f"/aws/vpc/{self._names.prefix}/flow-logs",
            retention_in_days=self._args.log_retention_days,
            tags=self._tags("flow-logs"),
            opts=self._own(),
        )
        role = aws.iam.Role(
            f"{self._prefix}-flow-logs-role",
            name=self._names.role("flow-logs"),
            permissions_boundary=self._args.permissions_boundary,
            description="Writes the VPC's flow logs",
            assume_role_policy=policies.trust_service(
                "vpc-flow-logs.amazonaws.com", self._args.account.id
            ),
            tags=self._tags("flow-logs"),
            opts=self._own(),
        )
        policy = aws.iam.RolePolicy(
            f"{self._prefix}-flow-logs-write",
            name="write-logs",
            role=role.name,
            policy=logs.arn.apply(policies.write_logs),
            opts=self._own(),
        )
        aws.ec2.FlowLog(
            f"{self._prefix}-flow-log",
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            tags=self._tags("flow-log"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _table(self, vpc: aws.ec2.Vpc, purpose: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            f"{self._prefix}-{purpose}-routes",
            vpc_id=vpc.id,
            tags=self._tags(purpose),
            opts=self._own(),
        )

    def _associate(
        self, purpose: str, table: aws.ec2.RouteTable, subnet: aws.ec2.Subnet
    ) -> aws.ec2.RouteTableAssociation:
        return aws.ec2.RouteTableAssociation(
            f"{self._prefix}-{purpose}-association",
            route_table_id=table.id,
            subnet_id=subnet.id,
            opts=self._own(),
        )

    def _own(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _tags(self, purpose: str) -> dict[str, str]:
        return self._names.tags(Name=self._names.of(purpose))


def _reachable(
    zones: Sequence[str], subnets_by_zone: Mapping[str, aws.ec2.Subnet], ways: Mapping[str, WayOut]
) -> pulumi.Output[Sequence[str]]:
    """The ids of the subnets in `zones`, known once their ways out exist. The ways out are
    deleted after what uses them: a load balancer's controller calls AWS until its own are gone."""
    ids = [subnets_by_zone[letter].id for letter in zones]
    ready = [resource.id for letter in zones for resource in ways[letter]]
    return pulumi.Output.all(*ids, *ready).apply(lambda values: values[: len(ids)])
