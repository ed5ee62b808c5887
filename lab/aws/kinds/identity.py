"""IAM: OIDC providers, roles, their policies."""

from __future__ import annotations

from lab.aws.api import Aws
from lab.aws.kinds.rows import TAGS, named
from lab.aws.table import Kind, Read, Tagging, Update, Values, optional, output, required

_GONE = ("NoSuchEntity",)


def _move_clients(aws: Aws, identifier: str, old: Values, new: Values) -> None:
    """IAM takes the audiences of a provider one by one."""
    before, after = set(old["clientIdLists"]), set(new["clientIdLists"])
    for operation, clients in (
        ("add_client_id_to_open_id_connect_provider", after - before),
        ("remove_client_id_from_open_id_connect_provider", before - after),
    ):
        for client in sorted(clients):
            aws.call("iam", operation, OpenIDConnectProviderArn=identifier, ClientID=client)


OPEN_ID_CONNECT_PROVIDER = Kind(
    pulumi_type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    service="iam",
    properties=(
        required("url", replaces=True, seen="=https://{url}"),
        required("clientIdLists", member="clientIDList", unordered=True),
        optional("thumbprintLists", member="thumbprintList", computed=True),
        *TAGS,
        output("arn", "={id}"),
    ),
    create="create_open_id_connect_provider",
    answers={"id": "OpenIDConnectProviderArn"},
    address={"OpenIDConnectProviderArn": "{id}"},
    read=Read(
        operation="get_open_id_connect_provider", parameters={"OpenIDConnectProviderArn": "{id}"}
    ),
    updates=(
        Update(operation="update_open_id_connect_provider_thumbprint", sets=("thumbprintLists",)),
    ),
    after_update=_move_clients,
    delete="delete_open_id_connect_provider",
    gone=_GONE,
    tagging=Tagging(
        tag="tag_open_id_connect_provider",
        untag="untag_open_id_connect_provider",
        address={"OpenIDConnectProviderArn": "{id}"},
        seen="Tags",
    ),
    clashes=True,
    siblings=Read(operation="list_open_id_connect_providers", at="OpenIDConnectProviderList[].Arn"),
)

ROLE = Kind(
    pulumi_type="aws:iam/role:Role",
    service="iam",
    properties=(
        *named(member="roleName"),
        required("assumeRolePolicy", member="assumeRolePolicyDocument", json=True),
        optional("description"),
        optional("path", default="/", replaces=True),
        optional("maxSessionDuration", default=3600),
        optional("permissionsBoundary", seen="permissionsBoundary.permissionsBoundaryArn"),
        *TAGS,
        output("arn"),
        output("uniqueId", "roleId"),
        output("createDate"),
    ),
    create="create_role",
    identity=("name",),
    address={"RoleName": "{id}"},
    read=Read(operation="get_role", parameters={"RoleName": "{id}"}, at="Role"),
    updates=(
        Update(
            operation="update_assume_role_policy",
            sets=("assumeRolePolicy",),
            compose=lambda state: {"PolicyDocument": state["assumeRolePolicy"]},
        ),
        Update(operation="update_role", sets=("description", "maxSessionDuration")),
        Update(
            operation="put_role_permissions_boundary",
            sets=("permissionsBoundary",),
            when="permissionsBoundary",
        ),
        Update(
            operation="delete_role_permissions_boundary",
            sets=("permissionsBoundary",),
            unless="permissionsBoundary",
        ),
    ),
    delete="delete_role",
    gone=_GONE,
    tagging=Tagging(tag="tag_role", untag="untag_role", address={"RoleName": "{id}"}, seen="Tags"),
    clashes=True,
)

ROLE_POLICY = Kind(
    pulumi_type="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    properties=(
        *named(member="policyName"),
        required("role", member="roleName", replaces=True),
        required("policy", member="policyDocument", json=True),
    ),
    create="put_role_policy",
    identity=("role", "name"),
    address={"RoleName": "{role}", "PolicyName": "{name}"},
    read=Read(
        operation="get_role_policy", parameters={"RoleName": "{role}", "PolicyName": "{name}"}
    ),
    updates=(Update(operation="put_role_policy", sets=("policy",)),),
    delete="delete_role_policy",
    gone=_GONE,
    clashes=True,
)

ROLE_POLICY_ATTACHMENT = Kind(
    pulumi_type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    properties=(
        required("role", member="roleName", replaces=True),
        required("policyArn", replaces=True),
    ),
    create="attach_role_policy",
    identity=("role", "policyArn"),
    separator="/",
    address={"RoleName": "{role}", "PolicyArn": "{policyArn}"},
    read=Read(
        operation="list_attached_role_policies",
        parameters={"RoleName": "{role}"},
        at="AttachedPolicies[?PolicyArn=='{policyArn}'] | [0]",
    ),
    delete="detach_role_policy",
    gone=_GONE,
)

KINDS = (OPEN_ID_CONNECT_PROVIDER, ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT)
