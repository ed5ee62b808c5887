"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

from lab.aws.api import Aws
from lab.aws.errors import LabAwsError
from lab.aws.kinds.rows import REGION, TAGS, arn, ec2_tags, named
from lab.aws.table import Kind, Read, Update, Values, optional, output, required

_GROUP_PROPERTIES = (REGION, *TAGS, arn("security-group/{id}"), output("ownerId"))
_READ_GROUP = Read(
    operation="describe_security_groups", parameters={"GroupIds": ["{id}"]}, at="SecurityGroups[0]"
)


def _without_rules(aws: Aws, identifier: str, inputs: Values) -> None:
    """The real provider takes away the rules that AWS gives every group."""
    group = aws.call("ec2", "describe_security_groups", GroupIds=[identifier])["SecurityGroups"][0]
    for direction, rules in (
        ("ingress", group["IpPermissions"]),
        ("egress", group["IpPermissionsEgress"]),
    ):
        if rules:
            aws.call(
                "ec2",
                f"revoke_security_group_{direction}",
                GroupId=identifier,
                IpPermissions=[_only_given(rule) for rule in rules],
            )


def _only_given(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if value not in ([], None)}


SECURITY_GROUP = Kind(
    pulumi_type="aws:ec2/securityGroup:SecurityGroup",
    service="ec2",
    properties=(
        *named(member="groupName"),
        optional("description", default="Managed by Pulumi", replaces=True),
        optional("vpcId", replaces=True, computed=True),
        *_GROUP_PROPERTIES,
    ),
    create="create_security_group",
    answers={"id": "GroupId"},
    address={"GroupId": "{id}"},
    read=_READ_GROUP,
    after_create=_without_rules,
    delete="delete_security_group",
    gone=("InvalidGroup.NotFound",),
    tagging=ec2_tags("security-group"),
    clashes=True,
    siblings=Read(
        operation="describe_security_groups",
        parameters={"Filters": [{"Name": "group-name", "Values": ["{name}"]}]},
        at="SecurityGroups[].GroupId",
    ),
)


def _default_group(aws: Aws, inputs: Values) -> str:
    filters = [
        {"Name": "vpc-id", "Values": [inputs["vpcId"]]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    groups = aws.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
    if not groups:
        raise LabAwsError(f"VPC {inputs['vpcId']} has no default security group")
    return str(groups[0]["GroupId"])


def _tagged_without_rules(aws: Aws, identifier: str, inputs: Values) -> None:
    _without_rules(aws, identifier, inputs)
    tags = [{"Key": key, "Value": text} for key, text in inputs.get("tags", {}).items()]
    if tags:
        aws.call("ec2", "create_tags", Resources=[identifier], Tags=tags)


DEFAULT_SECURITY_GROUP = Kind(
    pulumi_type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    service="ec2",
    properties=(
        required("vpcId", replaces=True),
        *_GROUP_PROPERTIES,
        output("name", "groupName"),
        output("description"),
    ),
    adopt=_default_group,
    address={"GroupId": "{id}"},
    read=_READ_GROUP,
    after_create=_tagged_without_rules,
    gone=("InvalidGroup.NotFound",),
    tagging=ec2_tags("security-group"),
)


_SOURCES = {
    "cidrIpv4": ("IpRanges", "CidrIp"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}
"""The other side of a rule: where a permission names it."""


def _permission(inputs: Values) -> Values:
    about = {"Description": inputs["description"]} if inputs.get("description") else {}
    sources = {
        place: [{field: inputs[name], **about}]
        for name, (place, field) in _SOURCES.items()
        if inputs.get(name)
    }
    ports = {"FromPort": inputs.get("fromPort"), "ToPort": inputs.get("toPort")}
    given = {name: port for name, port in ports.items() if port is not None}
    return {"IpPermissions": [{"IpProtocol": inputs.get("ipProtocol", "-1"), **given, **sources}]}


def _changed_rule(state: Values) -> Values:
    rule = {
        "IpProtocol": state["ipProtocol"],
        "FromPort": state.get("fromPort", -1),
        "ToPort": state.get("toPort", -1),
        "CidrIpv4": state.get("cidrIpv4"),
        "CidrIpv6": state.get("cidrIpv6"),
        "PrefixListId": state.get("prefixListId"),
        "ReferencedGroupId": state.get("referencedSecurityGroupId"),
        "Description": state.get("description"),
    }
    given = {name: value for name, value in rule.items() if value not in (None, "")}
    return {
        "SecurityGroupRules": [{"SecurityGroupRuleId": state["id"], "SecurityGroupRule": given}]
    }


def _one_source(old: Values, new: Values) -> list[tuple[str, str]]:
    if sum(name in new for name in _SOURCES) == 1:
        return []
    return [("cidrIpv4", f"a rule needs exactly one of {', '.join(_SOURCES)}")]


def _rule(direction: str) -> Kind:
    egress = "true" if direction == "Egress" else "false"
    return Kind(
        pulumi_type=f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule",
        service="ec2",
        properties=(
            required("securityGroupId", replaces=True, member="groupId"),
            required("ipProtocol", composed=True),
            optional("fromPort", composed=True, computed=True),
            optional("toPort", composed=True, computed=True),
            optional("cidrIpv4", composed=True),
            optional("cidrIpv6", composed=True),
            optional("prefixListId", composed=True),
            optional(
                "referencedSecurityGroupId",
                composed=True,
                replaces=True,
                seen="referencedGroupInfo.groupId",
            ),
            optional("description", composed=True),
            REGION,
            *TAGS,
            arn("security-group-rule/{id}"),
            output("securityGroupRuleId"),
        ),
        create=f"authorize_security_group_{direction.lower()}",
        compose=_permission,
        answers={"id": "SecurityGroupRules[0].SecurityGroupRuleId"},
        address={"GroupId": "{securityGroupId}"},
        read=Read(
            operation="describe_security_group_rules",
            parameters={"SecurityGroupRuleIds": ["{id}"]},
            at="SecurityGroupRules[0]",
        ),
        updates=(
            Update(
                operation="modify_security_group_rules",
                sets=(
                    "ipProtocol",
                    "fromPort",
                    "toPort",
                    "cidrIpv4",
                    "cidrIpv6",
                    "prefixListId",
                    "description",
                ),
                compose=_changed_rule,
            ),
        ),
        delete=f"revoke_security_group_{direction.lower()}",
        deletion={"SecurityGroupRuleIds": ["{id}"]},
        gone=(
            "InvalidSecurityGroupRuleId.NotFound",
            "InvalidGroup.NotFound",
            "InvalidPermission.NotFound",
        ),
        tagging=ec2_tags("security-group-rule"),
        rules=_one_source,
        siblings=Read(
            operation="describe_security_group_rules",
            parameters={"Filters": [{"Name": "group-id", "Values": ["{securityGroupId}"]}]},
            at=f"SecurityGroupRules[?IsEgress==`{egress}`].SecurityGroupRuleId",
        ),
    )


KINDS = (SECURITY_GROUP, DEFAULT_SECURITY_GROUP, _rule("Ingress"), _rule("Egress"))
