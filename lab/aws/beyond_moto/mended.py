"""Single operations of other services that moto lacks or gets wrong."""

from __future__ import annotations

from typing import Any

from lab.aws.api import Aws, Send, Standin

Body = dict[str, Any]

OIDC_PROVIDER, LOG_GROUP = "iam/OpenIDConnectProvider", "logs/LogGroup"


def _describe_repositories(aws: Aws, send: Send, given: Body) -> Body:
    """Repositories live in the lab's registry."""
    answer = send()
    for repository in answer["repositories"]:
        repository["repositoryUri"] = f"{aws.site.registry_host}/{repository['repositoryName']}"
    return answer


def _modify_endpoint(aws: Aws, send: Send, given: Body) -> Body:
    """moto lists the route tables of a changed gateway endpoint, but sets no route in them, and
    then cannot delete the endpoint."""
    answer = send()
    endpoint = aws.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[given["VpcEndpointId"]])
    service = endpoint["VpcEndpoints"][0]["ServiceName"]
    named = [{"Name": "prefix-list-name", "Values": [service]}]
    lists = aws.call("ec2", "describe_managed_prefix_lists", Filters=named)["PrefixLists"]
    for prefixes in (one["PrefixListId"] for one in lists):
        for table in given.get("AddRouteTableIds", []):
            aws.call(
                "ec2",
                "create_route",
                RouteTableId=table,
                DestinationPrefixListId=prefixes,
                GatewayId=given["VpcEndpointId"],
            )
        for table in given.get("RemoveRouteTableIds", []):
            aws.call("ec2", "delete_route", RouteTableId=table, DestinationPrefixListId=prefixes)
    return answer


def _delete_nat_gateway(aws: Aws, send: Send, given: Body) -> Body:
    """moto leaves the address of a deleted gateway in use."""
    answer = send()
    gateways = aws.call("ec2", "describe_nat_gateways", NatGatewayIds=[given["NatGatewayId"]])
    used = gateways["NatGateways"][0]["NatGatewayAddresses"]
    addresses = aws.call(
        "ec2",
        "describe_addresses",
        Filters=[{"Name": "allocation-id", "Values": [one["AllocationId"] for one in used]}],
    )["Addresses"]
    for association in (one["AssociationId"] for one in addresses if one.get("AssociationId")):
        aws.call("ec2", "disassociate_address", AssociationId=association)
    return answer


def _describe_template_versions(aws: Aws, send: Send, given: Body) -> Body:
    """moto files the template's own tags among those of its instances."""
    answer = send()
    for version in answer["LaunchTemplateVersions"]:
        data = version["LaunchTemplateData"]
        if "TagSpecifications" in data:
            data["TagSpecifications"] = [
                one for one in data["TagSpecifications"] if one["ResourceType"] != "launch-template"
            ]
    return answer


def _add_client(aws: Aws, send: Send, given: Body) -> Body:
    return _clients(aws, given, lambda clients: [*clients, given["ClientID"]])


def _remove_client(aws: Aws, send: Send, given: Body) -> Body:
    return _clients(
        aws, given, lambda clients: [one for one in clients if one != given["ClientID"]]
    )


def _clients(aws: Aws, given: Body, change: Any) -> Body:
    arn = given["OpenIDConnectProviderArn"]
    provider = aws.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    aws.kept.merge(OIDC_PROVIDER, arn, {"ClientIDList": change(provider["ClientIDList"])})
    return {}


def _get_oidc_provider(aws: Aws, send: Send, given: Body) -> Body:
    remembered = aws.kept.get(OIDC_PROVIDER, given["OpenIDConnectProviderArn"]) or {}
    return {**send(), **remembered}


def _delete_oidc_provider(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    aws.kept.drop(OIDC_PROVIDER, given["OpenIDConnectProviderArn"])
    return answer


def _associate_log_key(aws: Aws, send: Send, given: Body) -> Body:
    aws.kept.put(LOG_GROUP, given["logGroupName"], {"kmsKeyId": given["kmsKeyId"]})
    return {}


def _disassociate_log_key(aws: Aws, send: Send, given: Body) -> Body:
    aws.kept.put(LOG_GROUP, given["logGroupName"], {"kmsKeyId": None})
    return {}


def _describe_log_groups(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    for group in answer["logGroups"]:
        group.update(aws.kept.get(LOG_GROUP, group["logGroupName"]) or {})
    return answer


def _delete_log_group(aws: Aws, send: Send, given: Body) -> Body:
    answer = send()
    aws.kept.drop(LOG_GROUP, given["logGroupName"])
    return answer


STANDINS: dict[tuple[str, str], Standin] = {
    ("ecr", "describe_repositories"): _describe_repositories,
    ("ec2", "modify_vpc_endpoint"): _modify_endpoint,
    ("ec2", "delete_nat_gateway"): _delete_nat_gateway,
    ("ec2", "describe_launch_template_versions"): _describe_template_versions,
    ("iam", "add_client_id_to_open_id_connect_provider"): _add_client,
    ("iam", "remove_client_id_from_open_id_connect_provider"): _remove_client,
    ("iam", "get_open_id_connect_provider"): _get_oidc_provider,
    ("iam", "delete_open_id_connect_provider"): _delete_oidc_provider,
    ("logs", "associate_kms_key"): _associate_log_key,
    ("logs", "disassociate_kms_key"): _disassociate_log_key,
    ("logs", "describe_log_groups"): _describe_log_groups,
    ("logs", "delete_log_group"): _delete_log_group,
}
