"""The network: VPC, subnets, gateways, routes, endpoints, flow logs."""

from __future__ import annotations

from lab.aws.api import Aws
from lab.aws.errors import RefusedError
from lab.aws.kinds.rows import REGION, TAGS, arn, ec2_tags
from lab.aws.table import Kind, Read, Update, Values, optional, output, required


def _vpc_details(aws: Aws, vpc: Values, address: Values) -> Values:
    identifier = address["id"]

    def attribute(name: str) -> bool:
        answer = aws.call(
            "ec2", "describe_vpc_attribute", VpcId=identifier, Attribute=name[:1].lower() + name[1:]
        )
        return bool(answer[name]["Value"])

    def first(operation: str, listed: str, field: str, condition: str, value: str) -> str | None:
        filters = [
            {"Name": "vpc-id", "Values": [identifier]},
            {"Name": condition, "Values": [value]},
        ]
        found = aws.call("ec2", operation, Filters=filters)[listed]
        return found[0][field] if found else None

    table = first(
        "describe_route_tables", "RouteTables", "RouteTableId", "association.main", "true"
    )
    return {
        **vpc,
        "EnableDnsSupport": attribute("EnableDnsSupport"),
        "EnableDnsHostnames": attribute("EnableDnsHostnames"),
        "MainRouteTableId": table,
        "DefaultRouteTableId": table,
        "DefaultSecurityGroupId": first(
            "describe_security_groups", "SecurityGroups", "GroupId", "group-name", "default"
        ),
        "DefaultNetworkAclId": first(
            "describe_network_acls", "NetworkAcls", "NetworkAclId", "default", "true"
        ),
    }


VPC = Kind(
    pulumi_type="aws:ec2/vpc:Vpc",
    service="ec2",
    properties=(
        required("cidrBlock", replaces=True),
        optional("instanceTenancy", default="default", replaces=True),
        optional("enableDnsSupport", default=True),
        optional("enableDnsHostnames", default=False),
        REGION,
        *TAGS,
        arn("vpc/{id}"),
        output("ownerId"),
        output("dhcpOptionsId"),
        output("mainRouteTableId"),
        output("defaultRouteTableId"),
        output("defaultSecurityGroupId"),
        output("defaultNetworkAclId"),
    ),
    create="create_vpc",
    answers={"id": "Vpc.VpcId"},
    address={"VpcId": "{id}"},
    read=Read(operation="describe_vpcs", parameters={"VpcIds": ["{id}"]}, at="Vpcs[0]"),
    complete=_vpc_details,
    updates=(
        Update(
            operation="modify_vpc_attribute",
            sets=("enableDnsSupport", "enableDnsHostnames"),
            separately=True,
        ),
    ),
    delete="delete_vpc",
    gone=("InvalidVpcID.NotFound",),
    tagging=ec2_tags("vpc"),
    siblings=Read(operation="describe_vpcs", at="Vpcs[].VpcId"),
)

SUBNET = Kind(
    pulumi_type="aws:ec2/subnet:Subnet",
    service="ec2",
    properties=(
        required("vpcId", replaces=True),
        required("cidrBlock", replaces=True),
        optional("availabilityZone", replaces=True, computed=True),
        optional("availabilityZoneId", replaces=True, computed=True),
        optional("mapPublicIpOnLaunch", default=False),
        optional("assignIpv6AddressOnCreation", default=False),
        REGION,
        *TAGS,
        output("arn", "subnetArn"),
        output("ownerId"),
    ),
    create="create_subnet",
    answers={"id": "Subnet.SubnetId"},
    address={"SubnetId": "{id}"},
    read=Read(operation="describe_subnets", parameters={"SubnetIds": ["{id}"]}, at="Subnets[0]"),
    updates=(
        Update(
            operation="modify_subnet_attribute",
            sets=("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation"),
            separately=True,
        ),
    ),
    delete="delete_subnet",
    gone=("InvalidSubnetID.NotFound",),
    tagging=ec2_tags("subnet"),
    clashes=True,
    siblings=Read(
        operation="describe_subnets",
        parameters={"Filters": [{"Name": "vpc-id", "Values": ["{vpcId}"]}]},
        at="Subnets[].SubnetId",
    ),
)


def _attach(aws: Aws, identifier: str, inputs: Values) -> None:
    vpc = inputs.get("vpcId")
    attached = aws.call("ec2", "describe_internet_gateways", InternetGatewayIds=[identifier])[
        "InternetGateways"
    ][0]["Attachments"]
    if vpc and vpc not in [one["VpcId"] for one in attached]:
        aws.call("ec2", "attach_internet_gateway", InternetGatewayId=identifier, VpcId=vpc)


def _detach(aws: Aws, identifier: str, state: Values) -> None:
    if state.get("vpcId"):
        try:
            aws.call(
                "ec2",
                "detach_internet_gateway",
                InternetGatewayId=identifier,
                VpcId=state["vpcId"],
            )
        except RefusedError as refusal:
            if refusal.code not in ("Gateway.NotAttached", "InvalidVpcID.NotFound"):
                raise


INTERNET_GATEWAY = Kind(
    pulumi_type="aws:ec2/internetGateway:InternetGateway",
    service="ec2",
    properties=(
        optional("vpcId", seen="attachments[0].vpcId", replaces=True),
        REGION,
        *TAGS,
        arn("internet-gateway/{id}"),
        output("ownerId"),
    ),
    create="create_internet_gateway",
    answers={"id": "InternetGateway.InternetGatewayId"},
    address={"InternetGatewayId": "{id}"},
    read=Read(
        operation="describe_internet_gateways",
        parameters={"InternetGatewayIds": ["{id}"]},
        at="InternetGateways[0]",
    ),
    after_create=_attach,
    before_delete=_detach,
    delete="delete_internet_gateway",
    gone=("InvalidInternetGatewayID.NotFound",),
    tagging=ec2_tags("internet-gateway"),
    siblings=Read(
        operation="describe_internet_gateways", at="InternetGateways[].InternetGatewayId"
    ),
)

EIP = Kind(
    pulumi_type="aws:ec2/eip:Eip",
    service="ec2",
    properties=(
        optional("domain", default="vpc", replaces=True),
        REGION,
        *TAGS,
        arn("elastic-ip/{id}"),
        output("allocationId"),
        output("publicIp"),
    ),
    create="allocate_address",
    answers={"id": "AllocationId"},
    address={"AllocationId": "{id}"},
    read=Read(
        operation="describe_addresses", parameters={"AllocationIds": ["{id}"]}, at="Addresses[0]"
    ),
    delete="release_address",
    gone=("InvalidAllocationID.NotFound",),
    tagging=ec2_tags("elastic-ip"),
    siblings=Read(operation="describe_addresses", at="Addresses[].AllocationId"),
)

NAT_GATEWAY = Kind(
    pulumi_type="aws:ec2/natGateway:NatGateway",
    service="ec2",
    properties=(
        optional("subnetId", replaces=True),
        optional("allocationId", seen="natGatewayAddresses[0].allocationId", replaces=True),
        optional("connectivityType", default="public", replaces=True),
        REGION,
        *TAGS,
        output("publicIp", "natGatewayAddresses[0].publicIp"),
        output("privateIp", "natGatewayAddresses[0].privateIp"),
        output("networkInterfaceId", "natGatewayAddresses[0].networkInterfaceId"),
    ),
    create="create_nat_gateway",
    answers={"id": "NatGateway.NatGatewayId"},
    address={"NatGatewayId": "{id}"},
    read=Read(
        operation="describe_nat_gateways",
        parameters={"NatGatewayIds": ["{id}"]},
        at="NatGateways[?State != 'deleted'] | [0]",
    ),
    delete="delete_nat_gateway",
    gone=("NatGatewayNotFound",),
    tagging=ec2_tags("natgateway"),
    siblings=Read(
        operation="describe_nat_gateways",
        parameters={"Filter": [{"Name": "subnet-id", "Values": ["{subnetId}"]}]},
        at="NatGateways[?State != 'deleted'].NatGatewayId",
    ),
)

ROUTE_TABLE = Kind(
    pulumi_type="aws:ec2/routeTable:RouteTable",
    service="ec2",
    properties=(
        required("vpcId", replaces=True),
        REGION,
        *TAGS,
        arn("route-table/{id}"),
        output("ownerId"),
    ),
    create="create_route_table",
    answers={"id": "RouteTable.RouteTableId"},
    address={"RouteTableId": "{id}"},
    read=Read(
        operation="describe_route_tables",
        parameters={"RouteTableIds": ["{id}"]},
        at="RouteTables[0]",
    ),
    delete="delete_route_table",
    gone=("InvalidRouteTableID.NotFound",),
    tagging=ec2_tags("route-table"),
    siblings=Read(
        operation="describe_route_tables",
        parameters={
            "Filters": [
                {"Name": "vpc-id", "Values": ["{vpcId}"]},
                {"Name": "association.main", "Values": ["false"]},
            ]
        },
        at="RouteTables[].RouteTableId",
    ),
)

_TARGETS = ("gatewayId", "natGatewayId", "networkInterfaceId", "vpcPeeringConnectionId")


ROUTE = Kind(
    pulumi_type="aws:ec2/route:Route",
    service="ec2",
    properties=(
        required("routeTableId", replaces=True),
        required("destinationCidrBlock", replaces=True),
        *(optional(target) for target in _TARGETS),
        REGION,
        output("state"),
        output("origin"),
    ),
    create="create_route",
    identity=("routeTableId", "destinationCidrBlock"),
    separator="_",
    address={"RouteTableId": "{routeTableId}", "DestinationCidrBlock": "{destinationCidrBlock}"},
    read=Read(
        operation="describe_route_tables",
        parameters={"RouteTableIds": ["{routeTableId}"]},
        at="RouteTables[0].Routes[?DestinationCidrBlock=='{destinationCidrBlock}'] | [0]",
    ),
    updates=(Update(operation="replace_route", sets=_TARGETS),),
    delete="delete_route",
    gone=("InvalidRouteTableID.NotFound", "InvalidRoute.NotFound"),
    clashes=True,
    rules=lambda old, new: (
        [("gatewayId", f"a route needs exactly one of {', '.join(_TARGETS)}")]
        if sum(name in new for name in _TARGETS) != 1
        else []
    ),
)

_ASSOCIATION_OF_SUBNET = Read(
    operation="describe_route_tables",
    parameters={"Filters": [{"Name": "association.subnet-id", "Values": ["{subnetId}"]}]},
    at="RouteTables[].Associations[] | [?SubnetId=='{subnetId}'] | [0]",
)

ROUTE_TABLE_ASSOCIATION = Kind(
    pulumi_type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    service="ec2",
    properties=(
        required("routeTableId"),
        required("subnetId", replaces=True),
        REGION,
    ),
    create="associate_route_table",
    identity=("subnetId",),
    address={"AssociationId": "{RouteTableAssociationId}"},
    locate=_ASSOCIATION_OF_SUBNET,
    read=_ASSOCIATION_OF_SUBNET,
    updates=(Update(operation="replace_route_table_association", sets=("routeTableId",)),),
    delete="disassociate_route_table",
    gone=("InvalidAssociationID.NotFound", "InvalidRouteTableID.NotFound"),
    clashes=True,
)


def _endpoint_defaults(old: Values, new: Values) -> list[tuple[str, str]]:
    gateway = new.get("vpcEndpointType", "Gateway") == "Gateway"
    foreign = (
        ("subnetIds", "securityGroupIds", "privateDnsEnabled") if gateway else ("routeTableIds",)
    )
    kind = "a Gateway" if gateway else "an Interface"
    return [(name, f"does not fit {kind} endpoint") for name in foreign if new.get(name)]


VPC_ENDPOINT = Kind(
    pulumi_type="aws:ec2/vpcEndpoint:VpcEndpoint",
    service="ec2",
    properties=(
        required("vpcId", replaces=True),
        optional("serviceName", replaces=True),
        optional("vpcEndpointType", default="Gateway", replaces=True),
        optional("routeTableIds", unordered=True, computed=True),
        optional("subnetIds", unordered=True, computed=True),
        optional("securityGroupIds", unordered=True, computed=True, seen="groups[].groupId"),
        optional("privateDnsEnabled", computed=True),
        optional("policy", member="policyDocument", json=True, computed=True),
        REGION,
        *TAGS,
        arn("vpc-endpoint/{id}"),
        output("state"),
        output("ownerId"),
        output("dnsEntries"),
        output("networkInterfaceIds"),
    ),
    create="create_vpc_endpoint",
    answers={"id": "VpcEndpoint.VpcEndpointId"},
    address={"VpcEndpointId": "{id}"},
    read=Read(
        operation="describe_vpc_endpoints",
        parameters={"VpcEndpointIds": ["{id}"]},
        at="VpcEndpoints[?State != 'deleted'] | [0]",
    ),
    updates=(
        Update(operation="modify_vpc_endpoint", sets=("policy", "privateDnsEnabled")),
        *(
            Update(operation="modify_vpc_endpoint", sets=(name,), adds=adds, removes=removes)
            for name, adds, removes in (
                ("routeTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
                ("subnetIds", "AddSubnetIds", "RemoveSubnetIds"),
                ("securityGroupIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds"),
            )
        ),
    ),
    delete="delete_vpc_endpoints",
    deletion={"VpcEndpointIds": ["{id}"]},
    gone=("InvalidVpcEndpointId.NotFound",),
    tagging=ec2_tags("vpc-endpoint"),
    rules=_endpoint_defaults,
    siblings=Read(
        operation="describe_vpc_endpoints",
        parameters={"Filters": [{"Name": "vpc-id", "Values": ["{vpcId}"]}]},
        at="VpcEndpoints[?State != 'deleted'].VpcEndpointId",
    ),
)

FLOW_LOG = Kind(
    pulumi_type="aws:ec2/flowLog:FlowLog",
    service="ec2",
    properties=(
        required("vpcId", replaces=True, member="resourceIds", seen="resourceId"),
        optional("trafficType", replaces=True),
        optional("logDestination", replaces=True),
        optional("logDestinationType", default="cloud-watch-logs", replaces=True),
        optional("iamRoleArn", replaces=True, member="deliverLogsPermissionArn"),
        optional("logFormat", replaces=True, computed=True),
        optional("maxAggregationInterval", default=600, replaces=True),
        REGION,
        *TAGS,
        arn("vpc-flow-log/{id}"),
    ),
    create="create_flow_logs",
    fixed={"ResourceType": "VPC"},
    answers={"id": "FlowLogIds[0]"},
    read=Read(
        operation="describe_flow_logs", parameters={"FlowLogIds": ["{id}"]}, at="FlowLogs[0]"
    ),
    delete="delete_flow_logs",
    deletion={"FlowLogIds": ["{id}"]},
    gone=("InvalidFlowLogId.NotFound",),
    tagging=ec2_tags("vpc-flow-log"),
    clashes=True,
    siblings=Read(
        operation="describe_flow_logs",
        parameters={"Filter": [{"Name": "resource-id", "Values": ["{vpcId}"]}]},
        at="FlowLogs[].FlowLogId",
    ),
)


TAG = Kind(
    pulumi_type="aws:ec2/tag:Tag",
    service="ec2",
    properties=(
        required("resourceId", replaces=True, member="resources"),
        required("key", replaces=True, composed=True),
        required("value", composed=True),
        REGION,
    ),
    create="create_tags",
    fixed={"Tags": [{"Key": "{key}", "Value": "{value}"}]},
    identity=("resourceId", "key"),
    separator=",",
    address={"Resources": ["{resourceId}"]},
    read=Read(
        operation="describe_tags",
        parameters={
            "Filters": [
                {"Name": "resource-id", "Values": ["{resourceId}"]},
                {"Name": "key", "Values": ["{key}"]},
            ]
        },
        at="Tags[0]",
    ),
    updates=(
        Update(
            operation="create_tags",
            sets=("value",),
            parameters={"Tags": [{"Key": "{key}", "Value": "{value}"}]},
        ),
    ),
    delete="delete_tags",
    deletion={"Tags": [{"Key": "{key}"}]},
)

KINDS = (
    VPC,
    SUBNET,
    INTERNET_GATEWAY,
    EIP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    ROUTE,
    ROUTE_TABLE_ASSOCIATION,
    VPC_ENDPOINT,
    FLOW_LOG,
    TAG,
)
