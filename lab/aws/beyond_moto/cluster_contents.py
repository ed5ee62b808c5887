"""What lives inside a cluster and moto does not know: access entries and the policies bound to
them, add-ons, pod identities. The cluster's door reads the access entries where they are kept."""

from __future__ import annotations

import uuid
from typing import Any

from lab.aws.api import Aws, Send, Standin
from lab.aws.beyond_moto.eks import (
    ADDON,
    ENTRY,
    IDENTITY,
    POLICY,
    Body,
    arn_of,
    existing_cluster,
    key_of,
    missing,
    now,
    taken,
)
from lab.aws.errors import RefusedError


def _lifecycle(
    *,
    kind: str,
    noun: str,
    result: str,
    key: tuple[str, ...],
    arn: tuple[str, str],
    local: tuple[str, ...] = (),
) -> dict[tuple[str, str], Standin]:
    """create, describe, update and delete of a thing that is its parameters and an ARN."""

    def create(aws: Aws, send: Send, given: Body) -> Body:
        existing_cluster(aws, given["clusterName"])
        label = key_of(given, *key)
        member, resource = arn
        stamped = {name: value for name, value in given.items() if name not in local}
        stamped |= {member: arn_of(aws, resource, *label.split("/", len(key) - 1))}
        stamped |= {"createdAt": now(), "modifiedAt": now()}
        if not aws.kept.add(kind, label, stamped):
            raise taken(f"create_{noun}", label)
        return {result: stamped}

    def describe(aws: Aws, send: Send, given: Body) -> Body:
        body = aws.kept.get(kind, key_of(given, *key))
        if body is None:
            raise missing(f"describe_{noun}", key_of(given, *key))
        return {result: body}

    def update(aws: Aws, send: Send, given: Body) -> Body:
        describe(aws, send, given)
        changes = {name: value for name, value in given.items() if name not in local}
        return {result: aws.kept.merge(kind, key_of(given, *key), changes | {"modifiedAt": now()})}

    def delete(aws: Aws, send: Send, given: Body) -> Body:
        if aws.kept.drop(kind, key_of(given, *key)) is None:
            raise missing(f"delete_{noun}", key_of(given, *key))
        return {}

    verbs = {"create": create, "describe": describe, "update": update, "delete": delete}
    return {("eks", f"{verb}_{noun}"): act for verb, act in verbs.items()}


def _create_entry(aws: Aws, send: Send, given: Body) -> Body:
    name = given["principalArn"].rsplit("/", 1)[-1]
    session = f"arn:aws:sts::{aws.account}:assumed-role/{name}/{{{{SessionName}}}}"
    user = session if ":role/" in given["principalArn"] else given["principalArn"]
    whole = {"kubernetesGroups": [], "type": "STANDARD", "username": user, **given}
    return _ENTRIES["eks", "create_access_entry"](aws, send, whole)


def _delete_entry(aws: Aws, send: Send, given: Body) -> Body:
    answer = _ENTRIES["eks", "delete_access_entry"](aws, send, given)
    prefix = key_of(given, "clusterName", "principalArn") + "/"
    for key in [key for key in aws.kept.all(POLICY) if key.startswith(prefix)]:
        aws.kept.drop(POLICY, key)
    return answer


def _create_addon(aws: Aws, send: Send, given: Body) -> Body:
    whole = {"addonVersion": "default", "status": "ACTIVE", **given}
    return _ADDONS["eks", "create_addon"](aws, send, whole)


_ENTRIES = _lifecycle(
    kind=ENTRY,
    noun="access_entry",
    result="accessEntry",
    key=("clusterName", "principalArn"),
    arn=("accessEntryArn", "access-entry"),
)
_ADDONS = _lifecycle(
    kind=ADDON,
    noun="addon",
    result="addon",
    key=("clusterName", "addonName"),
    arn=("addonArn", "addon"),
    local=("resolveConflicts", "podIdentityAssociations"),
)
_IDENTITIES = _lifecycle(
    kind=IDENTITY,
    noun="pod_identity_association",
    result="association",
    key=("clusterName", "associationId"),
    arn=("associationArn", "podidentityassociation"),
)


def _associate_policy(aws: Aws, send: Send, given: Body) -> Body:
    entry = aws.kept.get(ENTRY, key_of(given, "clusterName", "principalArn"))
    if entry is None:
        raise missing("associate_access_policy", f"the access entry of {given['principalArn']}")
    if entry["type"] != "STANDARD":
        raise RefusedError(
            "eks",
            "associate_access_policy",
            "InvalidRequestException",
            f"an access entry of type {entry['type']} takes no policy",
        )
    body = aws.kept.merge(
        POLICY,
        key_of(given, "clusterName", "principalArn", "policyArn"),
        {**given, "associatedAt": now(), "modifiedAt": now()},
    )
    return {"associatedAccessPolicy": body}


def _associated_policies(aws: Aws, send: Send, given: Body) -> Body:
    prefix = key_of(given, "clusterName", "principalArn") + "/"
    found = [body for key, body in aws.kept.all(POLICY).items() if key.startswith(prefix)]
    return {"associatedAccessPolicies": found}


def _disassociate_policy(aws: Aws, send: Send, given: Body) -> Body:
    key = key_of(given, "clusterName", "principalArn", "policyArn")
    if aws.kept.drop(POLICY, key) is None:
        raise missing("disassociate_access_policy", key)
    return {}


def _create_identity(aws: Aws, send: Send, given: Body) -> Body:
    same = [
        body
        for body in aws.kept.all(IDENTITY).values()
        if key_of(body, "clusterName", "namespace", "serviceAccount")
        == key_of(given, "clusterName", "namespace", "serviceAccount")
    ]
    if same:
        raise taken("create_pod_identity_association", key_of(given, "namespace", "serviceAccount"))
    identifier = f"a-{uuid.uuid4().hex[:17]}"
    whole = {"disableSessionTags": False, **given, "associationId": identifier}
    return _IDENTITIES["eks", "create_pod_identity_association"](aws, send, whole)


def _list_identities(aws: Aws, send: Send, given: Body) -> Body:
    bodies = aws.kept.all(IDENTITY).values()
    return {
        "associations": [body for body in bodies if body["clusterName"] == given["clusterName"]]
    }


def _tag(aws: Aws, send: Send, given: Body) -> Body:
    return _retagged(aws, send, given, lambda tags: {**tags, **given["tags"]})


def _untag(aws: Aws, send: Send, given: Body) -> Body:
    gone = given["tagKeys"]
    return _retagged(
        aws, send, given, lambda tags: {key: tags[key] for key in tags if key not in gone}
    )


def _retagged(aws: Aws, send: Send, given: Body, change: Any) -> Body:
    for kind, member in (
        (ENTRY, "accessEntryArn"),
        (ADDON, "addonArn"),
        (IDENTITY, "associationArn"),
    ):
        for key, body in aws.kept.all(kind).items():
            if body.get(member) == given["resourceArn"]:
                aws.kept.merge(kind, key, {"tags": change(body.get("tags", {}))})
                return {}
    return send()


STANDINS: dict[tuple[str, str], Standin] = {
    **_ENTRIES,
    **_ADDONS,
    **_IDENTITIES,
    ("eks", "create_access_entry"): _create_entry,
    ("eks", "delete_access_entry"): _delete_entry,
    ("eks", "create_addon"): _create_addon,
    ("eks", "associate_access_policy"): _associate_policy,
    ("eks", "list_associated_access_policies"): _associated_policies,
    ("eks", "disassociate_access_policy"): _disassociate_policy,
    ("eks", "create_pod_identity_association"): _create_identity,
    ("eks", "list_pod_identity_associations"): _list_identities,
    ("eks", "tag_resource"): _tag,
    ("eks", "untag_resource"): _untag,
}
