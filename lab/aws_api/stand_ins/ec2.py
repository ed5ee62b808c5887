"""EC2: what moto does incompletely."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body


def _modify_endpoint(request: ApiRequest) -> Body:
    """Amazon EC2 API Reference, ModifyVpcEndpoint.

    moto lists the route tables of a changed gateway endpoint, but sets no route in them, and then
    cannot delete the endpoint.
    """
    given, answer = request.given, request.moto()
    found = request.ask("ec2", "DescribeVpcEndpoints", VpcEndpointIds=[given["VpcEndpointId"]])
    service = found["VpcEndpoints"][0]["ServiceName"]
    named = [{"Name": "prefix-list-name", "Values": [service]}]
    lists = request.ask("ec2", "DescribeManagedPrefixLists", Filters=named)["PrefixLists"]
    for prefixes in (one["PrefixListId"] for one in lists):
        for table in given.get("AddRouteTableIds", []):
            request.ask(
                "ec2",
                "CreateRoute",
                RouteTableId=table,
                DestinationPrefixListId=prefixes,
                GatewayId=given["VpcEndpointId"],
            )
        for table in given.get("RemoveRouteTableIds", []):
            request.ask("ec2", "DeleteRoute", RouteTableId=table, DestinationPrefixListId=prefixes)
    return answer


def _delete_nat_gateway(request: ApiRequest) -> Body:
    """Amazon EC2 API Reference, DeleteNatGateway: moto leaves the gateway's address in use."""
    answer = request.moto()
    gateway = request.given["NatGatewayId"]
    found = request.ask("ec2", "DescribeNatGateways", NatGatewayIds=[gateway])["NatGateways"]
    used = [one["AllocationId"] for one in found[0]["NatGatewayAddresses"]]
    filters = [{"Name": "allocation-id", "Values": used}]
    for address in request.ask("ec2", "DescribeAddresses", Filters=filters)["Addresses"]:
        if association := address.get("AssociationId"):
            request.ask("ec2", "DisassociateAddress", AssociationId=association)
    return answer


def _describe_nat_gateways(request: ApiRequest) -> Body:
    """Amazon EC2 API Reference, DescribeNatGateways: moto does not say which are of one zone.

    The provider reads the subnet and the address of such gateways alone.
    """
    answer = request.moto()
    for gateway in answer["NatGateways"]:
        gateway["AvailabilityMode"] = "zonal"
    return answer


def _describe_template_versions(request: ApiRequest) -> Body:
    """Amazon EC2 API Reference, DescribeLaunchTemplateVersions.

    moto mixes the template's own tags with those of its instances.
    """
    answer = request.moto()
    for version in answer["LaunchTemplateVersions"]:
        data = version["LaunchTemplateData"]
        if "TagSpecifications" in data:
            data["TagSpecifications"] = [
                one for one in data["TagSpecifications"] if one["ResourceType"] != "launch-template"
            ]
    return answer


STAND_INS: StandIns = {
    ("ec2", "ModifyVpcEndpoint"): _modify_endpoint,
    ("ec2", "DeleteNatGateway"): _delete_nat_gateway,
    ("ec2", "DescribeNatGateways"): _describe_nat_gateways,
    ("ec2", "DescribeLaunchTemplateVersions"): _describe_template_versions,
}
