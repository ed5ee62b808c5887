"""KMS: keys and their aliases."""

from __future__ import annotations

from lab.aws.api import Aws
from lab.aws.kinds.rows import REGION, TAGS, arn
from lab.aws.table import Kind, Read, Tagging, Update, Values, optional, output, required


def _key_details(aws: Aws, key: Values, address: Values) -> Values:
    identifier = address["id"]
    rotation = aws.call("kms", "get_key_rotation_status", KeyId=identifier)
    policy = aws.call("kms", "get_key_policy", KeyId=identifier, PolicyName="default")
    return {
        **key,
        "EnableKeyRotation": rotation["KeyRotationEnabled"],
        "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
        "Policy": policy["Policy"],
    }


KEY = Kind(
    pulumi_type="aws:kms/key:Key",
    service="kms",
    properties=(
        optional("description", computed=True),
        optional("policy", json=True, computed=True),
        optional("keyUsage", default="ENCRYPT_DECRYPT", replaces=True),
        optional("customerMasterKeySpec", default="SYMMETRIC_DEFAULT", replaces=True),
        optional("multiRegion", computed=True, replaces=True),
        optional("enableKeyRotation", default=False),
        optional("rotationPeriodInDays", computed=True),
        optional("deletionWindowInDays", local=True),
        optional("bypassPolicyLockoutSafetyCheck", local=True, default=False),
        REGION,
        *TAGS,
        output("arn"),
        output("keyId"),
    ),
    create="create_key",
    answers={"id": "KeyMetadata.KeyId"},
    address={"KeyId": "{id}"},
    fixed={"BypassPolicyLockoutSafetyCheck": "{bypassPolicyLockoutSafetyCheck}"},
    read=Read(
        operation="describe_key",
        parameters={"KeyId": "{id}"},
        at="[KeyMetadata][?KeyState!='PendingDeletion'] | [0]",
    ),
    complete=_key_details,
    updates=(
        Update(operation="update_key_description", sets=("description",)),
        Update(operation="put_key_policy", sets=("policy",), parameters={"PolicyName": "default"}),
        Update(
            operation="enable_key_rotation",
            sets=("enableKeyRotation", "rotationPeriodInDays"),
            when="enableKeyRotation",
        ),
        Update(
            operation="disable_key_rotation",
            sets=("enableKeyRotation",),
            unless="enableKeyRotation",
        ),
    ),
    delete="schedule_key_deletion",
    deletion={"PendingWindowInDays": "{deletionWindowInDays}"},
    gone=("NotFoundException", "KMSInvalidStateException"),
    tagging=Tagging(
        address={"KeyId": "{id}"},
        read=Read(operation="list_resource_tags", parameters={"KeyId": "{id}"}, at="Tags"),
    ),
    siblings=Read(operation="list_keys", at="Keys[].KeyId"),
)

ALIAS = Kind(
    pulumi_type="aws:kms/alias:Alias",
    service="kms",
    properties=(
        optional("name", member="aliasName", autonamed=True, replaces=True),
        required("targetKeyId"),
        REGION,
        arn("{id}", "kms"),
        output("targetKeyArn", "=arn:aws:kms:{region}:{account}:key/{targetKeyId}"),
    ),
    create="create_alias",
    identity=("name",),
    address={"AliasName": "{id}"},
    read=Read(operation="list_aliases", at="Aliases[?AliasName=='{id}'] | [0]"),
    updates=(Update(operation="update_alias", sets=("targetKeyId",)),),
    delete="delete_alias",
    gone=("NotFoundException",),
    rules=lambda old, new: (
        []
        if str(new["name"]).startswith("alias/") or "-" not in str(new["name"])
        else [("name", f"{new['name']}: an alias begins with alias/")]
    ),
    clashes=True,
)

KINDS = (KEY, ALIAS)
