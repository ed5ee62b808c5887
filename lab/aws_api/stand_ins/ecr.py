"""ECR: repositories live in the lab's registry, and their policies let other accounts in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from moto.ecr.models import ecr_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.aws_api.answers import Refusal
from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.policies import Request, decision


def _placed(request: ApiRequest, repository: Body) -> Body:
    address = f"{request.site.registry_host}/{repository['repositoryName']}"
    return {**repository, "repositoryUri": address}


def _create(request: ApiRequest) -> Body:
    """Amazon ECR API Reference, CreateRepository."""
    return {"repository": _placed(request, request.moto()["repository"])}


def _describe(request: ApiRequest) -> Body:
    """Amazon ECR API Reference, DescribeRepositories."""
    answer = request.moto()
    return {**answer, "repositories": [_placed(request, one) for one in answer["repositories"]]}


def _of_any_registry(request: ApiRequest) -> Body:
    """Another account's repository answers whom its policy lets in.

    Amazon ECR User Guide, "Private repository policies"; Amazon ECR API Reference, BatchGetImage;
    Amazon ECR API Reference, DescribeImageScanFindings; Amazon ECR API Reference, DescribeImages;
    Amazon ECR API Reference, ListImages.
    """
    owner = request.given.get("registryId", request.account)
    if owner == request.account:
        return request.moto()
    action = f"ecr:{request.call.operation.name}"
    if not _lets_in(request, owner, action):
        name = request.given["repositoryName"]
        raise Refusal(
            "AccessDeniedException",
            f"{request.account} is not authorized to perform: {action} on {name} of {owner} "
            "because no resource-based policy allows it",
            HTTPStatus.BAD_REQUEST,
        )
    keys = iam_backends[owner][get_partition(request.region)].access_keys
    # moto finds the account by the access key; one that it does not know is of the default account.
    return request.moto_of(replace(request.call, access_key=next(iter(keys), "lab")))


def _lets_in(request: ApiRequest, owner: str, action: str) -> bool:
    """Whether the repository's own policy allows the action to the caller's account."""
    repository = ecr_backends[owner][request.region].repositories.get(
        request.given["repositoryName"]
    )
    policy: Body = json.loads((repository and repository.policy) or '{"Statement": []}')
    root = f":iam::{request.account}:root"
    concerning = [one for one in policy["Statement"] if _names(one.get("Principal"), root)]
    return decision([{"Statement": concerning}], Request(action=action)) == "allow"


def _names(principal: Any, root: str) -> bool:
    named = principal.get("AWS", []) if isinstance(principal, Mapping) else principal or []
    listed = [named] if isinstance(named, str) else named
    return any(one == "*" or str(one).endswith(root) for one in listed)


STAND_INS: StandIns = {
    ("ecr", "BatchGetImage"): _of_any_registry,
    ("ecr", "CreateRepository"): _create,
    ("ecr", "DescribeImageScanFindings"): _of_any_registry,
    ("ecr", "DescribeImages"): _of_any_registry,
    ("ecr", "DescribeRepositories"): _describe,
    ("ecr", "ListImages"): _of_any_registry,
}
