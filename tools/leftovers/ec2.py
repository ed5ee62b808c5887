"""Networks and machines: everything of EC2 that carries an environment's tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.leftovers.found import Found, as_tags

GONE = frozenset({"deleted", "deleting", "terminated", "shutting-down"})
"""States of what AWS still lists for an hour."""


@dataclass(frozen=True)
class Kind:
    """One kind of object: how it is listed, and how the AWS CLI deletes it."""

    type: str
    operation: str
    listed: str
    id: str
    delete: str
    filters: Mapping[str, str] | None = None
    """Only those that are in this state."""


KINDS = (
    Kind("aws:ec2/vpc:Vpc", "describe_vpcs", "Vpcs", "VpcId", "delete-vpc --vpc-id"),
    Kind("aws:ec2/subnet:Subnet", "describe_subnets", "Subnets", "SubnetId",
         "delete-subnet --subnet-id"),
    Kind("aws:ec2/internetGateway:InternetGateway", "describe_internet_gateways",
         "InternetGateways", "InternetGatewayId",
         "delete-internet-gateway --internet-gateway-id"),
    Kind("aws:ec2/natGateway:NatGateway", "describe_nat_gateways", "NatGateways", "NatGatewayId",
         "delete-nat-gateway --nat-gateway-id"),
    Kind("aws:ec2/eip:Eip", "describe_addresses", "Addresses", "AllocationId",
         "release-address --allocation-id"),
    Kind("aws:ec2/routeTable:RouteTable", "describe_route_tables", "RouteTables", "RouteTableId",
         "delete-route-table --route-table-id"),
    Kind("aws:ec2/vpcEndpoint:VpcEndpoint", "describe_vpc_endpoints", "VpcEndpoints",
         "VpcEndpointId", "delete-vpc-endpoints --vpc-endpoint-ids"),
    Kind("aws:ec2/securityGroup:SecurityGroup", "describe_security_groups", "SecurityGroups",
         "GroupId", "delete-security-group --group-id"),
    Kind("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
         "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId",
         "revoke-security-group-ingress --group-id {GroupId} --security-group-rule-ids"),
    Kind("aws:ec2/flowLog:FlowLog", "describe_flow_logs", "FlowLogs", "FlowLogId",
         "delete-flow-logs --flow-log-ids"),
    Kind("aws:ec2/launchTemplate:LaunchTemplate", "describe_launch_templates", "LaunchTemplates",
         "LaunchTemplateId", "delete-launch-template --launch-template-id"),
    # Machines carry the tags of their launch template; what hangs on a machine goes with it.
    Kind("ec2:volume", "describe_volumes", "Volumes", "VolumeId", "delete-volume --volume-id",
         {"status": "available"}),
    Kind("ec2:network-interface", "describe_network_interfaces", "NetworkInterfaces",
         "NetworkInterfaceId", "delete-network-interface --network-interface-id",
         {"status": "available"}),
)  # fmt: skip


def find(client: Any, tags: Mapping[str, str]) -> Iterator[Found]:
    """Everything in `client`'s region that carries `tags`."""
    for kind in KINDS:
        for item in _listed(client, kind, tags):
            if _there(item):
                yield _found(kind, item)
            if kind.id == "RouteTableId":
                yield from _in_a_route_table(item)
    yield from _machines(client, tags)


def _listed(client: Any, kind: Kind, tags: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    wanted = {f"tag:{key}": value for key, value in tags.items()} | dict(kind.filters or {})
    filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
    parameter = "Filter" if kind.operation == "describe_flow_logs" else "Filters"
    if client.can_paginate(kind.operation):
        pages = client.get_paginator(kind.operation).paginate(**{parameter: filters})
    else:
        pages = [getattr(client, kind.operation)(**{parameter: filters})]
    for page in pages:
        yield from page[kind.listed]


def _there(item: Mapping[str, Any]) -> bool:
    """False for what was deleted, and for the group that goes with its VPC."""
    state = item.get("State")
    return state not in GONE and item.get("GroupName") != "default"


def _found(kind: Kind, item: Mapping[str, Any]) -> Found:
    tags = as_tags(item.get("Tags", []))
    id_ = item[kind.id]
    return Found(
        type=kind.type,
        id=id_,
        identities=frozenset({id_}),
        name=item.get("LaunchTemplateName") or tags.get("Name", ""),
        tags=tags,
        delete=f"aws ec2 {kind.delete.format(**item)} {id_}",
    )


def _in_a_route_table(table: Mapping[str, Any]) -> Iterator[Found]:
    """Routes and associations have no tags of their own."""
    id_ = table["RouteTableId"]
    for route in table.get("Routes", []):
        to = route.get("DestinationCidrBlock")
        if to and route.get("Origin", "CreateRoute") == "CreateRoute" and _leads_out(route):
            yield Found(
                type="aws:ec2/route:Route",
                id=f"{id_}_{to}",
                identities=frozenset({f"{id_}_{to}"}),
                name=f"{id_}_{to}",
                tags={},
                delete=f"aws ec2 delete-route --route-table-id {id_} --destination-cidr-block {to}",
            )
    for association in table.get("Associations", []):
        subnet, own = association.get("SubnetId"), association["RouteTableAssociationId"]
        if subnet and not association.get("Main"):
            yield Found(
                type="aws:ec2/routeTableAssociation:RouteTableAssociation",
                id=f"{subnet}/{id_}",
                identities=frozenset({own}),
                name=f"{subnet}/{id_}",
                tags={},
                delete=f"aws ec2 disassociate-route-table --association-id {own}",
            )


def _leads_out(route: Mapping[str, Any]) -> bool:
    """Through a gateway of the program's; `local` is the VPC itself."""
    return bool(route.get("NatGatewayId")) or route.get("GatewayId", "local") != "local"


def _machines(client: Any, tags: Mapping[str, str]) -> Iterator[Found]:
    """Nodes: known where their node group is, so their identity is the group's."""
    filters: Sequence[Mapping[str, Any]] = [
        {"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()
    ]
    for page in client.get_paginator("describe_instances").paginate(Filters=filters):
        for machine in (one for group in page["Reservations"] for one in group["Instances"]):
            own = as_tags(machine.get("Tags", []))
            if machine["State"]["Name"] not in GONE:
                group = f"{own.get('eks:cluster-name')}:{own.get('eks:nodegroup-name')}"
                id_ = machine["InstanceId"]
                yield Found(
                    type="ec2:instance",
                    id=id_,
                    identities=frozenset({id_, group}),
                    name=own.get("Name", ""),
                    tags=own,
                    delete=f"aws ec2 terminate-instances --instance-ids {id_}",
                )
