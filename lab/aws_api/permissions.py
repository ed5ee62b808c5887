"""Whether a role's policies and its permissions boundary allow a call.

The lab evaluates the policies that moto stores. moto's own check applies to all callers or to none,
ignores boundaries, refuses where a condition of an allowance is not met, and does not see calls
that a stand-in answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.aws_api.callers import session_of, tags_of
from lab.aws_api.calls import Body, Call
from lab.aws_api.naming import arns, values
from lab.aws_api.policies import Request, decision

_ALWAYS = {("sts", "GetCallerIdentity"), ("sts", "AssumeRoleWithWebIdentity")}
"""Calls that need no permission."""
_NAMES_OF_ACTIONS = {
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "HeadObject"): "GetObject",
}
"""Operations whose action in a policy has another name."""
_PREFIXES = {"monitoring": "cloudwatch"}
"""What begins the actions of a service in a policy, where its requests are signed otherwise."""
_TAGGING = {"ec2": "CreateTags", "acm": "AddTagsToCertificate", "elbv2": "AddTags"}
"""Actions that tag, where a service has another than TagResource."""
_ROLES_ON_LOAN = ("roleArn", "nodeRole", "serviceAccountRoleArn", "DeliverLogsPermissionArn")
"""Parameters that pass a role to a service, which needs `iam:PassRole`."""


def checked_roles(file: Path) -> frozenset[str]:
    """The names of the roles whose sessions are checked: one a line, no file for none."""
    try:
        return frozenset(file.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return frozenset()


def refusal(call: Call, roles: frozenset[str]) -> tuple[str, str, str] | None:
    """Caller, action and reason, when the caller is one of the roles and may not make the call."""
    session = session_of(call.access_key) if roles else None
    if session is None or call.key in _ALWAYS:
        return None
    name = str(session.role_arn).rpartition("/")[2]
    if name not in roles:
        return None
    granted, boundary = _documents(session, name, call)
    for request in _requests(call, session):
        decided = decision(granted, request)
        if decided == "allow" and (boundary is None or decision([boundary], request) == "allow"):
            continue
        reason = {
            "deny": "a policy of the role denies it",
            "none": "no policy of the role allows it",
            "allow": "the role's permissions boundary does not allow it",
        }
        named = f" on resource: {', '.join(request.resources)}" if request.resources else ""
        return str(session.arn), f"{request.action}{named}", reason[decided]
    return None


def needed(call: Call, account: str) -> list[tuple[str, list[str]]]:
    """The actions that a call needs, as policies name them, each with its resources.

    Passing a role to a service and tagging a new resource need actions of their own.
    """
    name = _NAMES_OF_ACTIONS.get(call.key, call.operation.name)
    about = arns(call, account)
    prefix = _PREFIXES.get(call.signing_name, call.signing_name)
    found = [(f"{prefix}:{name}", about)]
    if name.startswith("Create") and name != "CreateTags" and any(_tags(call.parameters)):
        found.append((f"{prefix}:{_tagging(call)}", about))
    if call.service not in ("iam", "sts"):
        found += [
            ("iam:PassRole", [value])
            for path, value in values(call.parameters)
            if path.rpartition(".")[2] in _ROLES_ON_LOAN
        ]
    return found


def _tagging(call: Call) -> str:
    """The action without which nothing is created with tags."""
    if call.service == "iam":
        return call.operation.name.replace("Create", "Tag", 1)
    return _TAGGING.get(call.service, "TagResource")


def _requests(call: Call, session: Any) -> Iterator[Request]:
    context = _context(call, session)
    for action, resources in needed(call, str(session.account_id)):
        passing = action == "iam:PassRole"
        yield Request(action=action, resources=resources, context={} if passing else context)


def _context(call: Call, session: Any) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {
        "aws:principalarn": [str(session.role_arn)],
        "aws:principalaccount": [str(session.account_id)],
        "aws:requestedregion": [call.region],
    }
    of_session, _ = tags_of(call.access_key)
    known |= {f"aws:principaltag/{key.lower()}": [value] for key, value in of_session.items()}
    tags = dict(_tags(call.parameters))
    known |= {f"aws:requesttag/{key.lower()}": [value] for key, value in tags.items()}
    if tags:
        known["aws:tagkeys"] = sorted(tags)
    if call.service == "iam":
        known["iam:permissionsboundary"] = _boundary(call, session)
    if policy := call.parameters.get("PolicyArn"):
        known["iam:policyarn"] = [policy]
    if call.key == ("iam", "CreateServiceLinkedRole"):
        known["iam:awsservicename"] = [call.parameters["AWSServiceName"]]
    return known


def _boundary(call: Call, session: Any) -> list[str]:
    """The boundary that a call sets on a role, or that the role has."""
    given = call.parameters.get("PermissionsBoundary")
    if given or call.key == ("iam", "CreateRole"):
        return [given] if given else []
    backend: Any = iam_backends[session.account_id][get_partition(call.region)]
    changed = (
        role for role in backend.roles.values() if role.name == call.parameters.get("RoleName")
    )
    return [arn for arn in (role.permissions_boundary_arn for role in changed) if arn]


def _tags(parameters: Body) -> Iterator[tuple[str, str]]:
    """The tags of a request, whatever shape the service has for them."""
    specified = parameters.get("TagSpecifications") or []
    found = parameters.get("tags") or parameters.get("Tags") or []
    if isinstance(found, Mapping):
        yield from found.items()
        return
    for pair in [*found, *(tag for one in specified for tag in one.get("Tags", []))]:
        key, value = (
            next((pair[name] for name in names if name in pair), "")
            for names in (("Key", "key", "TagKey"), ("Value", "value", "TagValue"))
        )
        yield key, value


def _documents(session: Any, name: str, call: Call) -> tuple[list[Body], Body | None]:
    """The role's own and attached policies, and its boundary."""
    backend: Any = iam_backends[session.account_id][get_partition(call.region)]
    role = backend.get_role(name)
    attached = [_default_version(policy) for policy in role.managed_policies.values()]
    own = [json.loads(text) for text in role.policies.values()]
    boundary = role.permissions_boundary_arn
    limit = _default_version(backend.managed_policies[boundary]) if boundary else None
    return [*own, *attached], limit


def _default_version(policy: Any) -> Body:
    document = next(version.document for version in policy.versions if version.is_default)
    return dict(json.loads(document)) if isinstance(document, str) else dict(document)
