"""ECR: repositories live in the lab's registry."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body


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


STAND_INS: StandIns = {
    ("ecr", "CreateRepository"): _create,
    ("ecr", "DescribeRepositories"): _describe,
}
