"""ECR: repositories live in the lab's registry."""

from __future__ import annotations

from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body


def _placed(asked: Asked, repository: Body) -> Body:
    address = f"{asked.site.registry_host}/{repository['repositoryName']}"
    return {**repository, "repositoryUri": address}


def _create(asked: Asked) -> Body:
    """Amazon ECR API Reference, CreateRepository."""
    return {"repository": _placed(asked, asked.moto()["repository"])}


def _describe(asked: Asked) -> Body:
    """Amazon ECR API Reference, DescribeRepositories."""
    answer = asked.moto()
    return {**answer, "repositories": [_placed(asked, one) for one in answer["repositories"]]}


STAND_INS: StandIns = {
    ("ecr", "CreateRepository"): _create,
    ("ecr", "DescribeRepositories"): _describe,
}
