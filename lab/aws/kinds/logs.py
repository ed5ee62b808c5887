"""CloudWatch Logs."""

from __future__ import annotations

from lab.aws.kinds.rows import REGION, TAGS, arn, named
from lab.aws.table import Kind, Read, Tagging, Update, optional

_ARN = "arn:aws:logs:{region}:{account}:log-group:{id}"

LOG_GROUP = Kind(
    pulumi_type="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    properties=(
        *named(member="logGroupName"),
        optional("retentionInDays"),
        optional("kmsKeyId"),
        optional("logGroupClass", computed=True, replaces=True),
        REGION,
        *TAGS,
        arn("log-group:{id}", "logs"),
    ),
    create="create_log_group",
    identity=("name",),
    address={"logGroupName": "{id}"},
    read=Read(
        operation="describe_log_groups",
        parameters={"logGroupNamePrefix": "{id}"},
        at="logGroups[?logGroupName=='{id}'] | [0]",
    ),
    updates=(
        Update(operation="put_retention_policy", sets=("retentionInDays",), when="retentionInDays"),
        Update(
            operation="delete_retention_policy", sets=("retentionInDays",), unless="retentionInDays"
        ),
        Update(operation="associate_kms_key", sets=("kmsKeyId",), when="kmsKeyId"),
        Update(operation="disassociate_kms_key", sets=("kmsKeyId",), unless="kmsKeyId"),
    ),
    delete="delete_log_group",
    gone=("ResourceNotFoundException",),
    tagging=Tagging(
        address={"resourceArn": _ARN},
        read=Read(operation="list_tags_for_resource", parameters={"resourceArn": _ARN}, at="tags"),
    ),
    clashes=True,
)

KINDS = (LOG_GROUP,)
