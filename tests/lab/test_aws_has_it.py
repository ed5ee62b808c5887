"""What the program declared is in AWS: asked with boto3, past Pulumi."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.lab.conftest import Lab


@pytest.fixture
def client(lab: Lab) -> Any:
    """A function that makes boto3 clients for the lab's AWS."""

    def connect(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=lab.site.url("aws"),
            region_name="eu-central-1",
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
        )

    return connect


def test_there_is_a_repository_for_each_service(client: Any) -> None:
    repositories = client("ecr").describe_repositories()["repositories"]
    assert sorted(repository["repositoryName"] for repository in repositories) == [
        "community/leaderboard",
        "community/tournaments",
        "streaming/tv-api",
        "streaming/tv-frontend",
    ]
    for repository in repositories:
        assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
        assert repository["imageTagMutabilityExclusionFilters"] == [
            {"filterType": "WILDCARD", "filter": "dev"}
        ]


def test_each_environment_has_a_vpc_of_its_own(client: Any) -> None:
    vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "tag:ManagedBy", "Values": ["pulumi"]}])[
        "Vpcs"
    ]
    assert sorted(vpc["CidrBlock"] for vpc in vpcs) == ["10.10.0.0/16", "10.20.0.0/16"]


def test_each_environment_has_a_cluster_that_only_its_access_entries_open(client: Any) -> None:
    eks = client("eks")
    assert sorted(eks.list_clusters()["clusters"]) == ["acme-dev", "acme-prod"]
    for name in ("acme-dev", "acme-prod"):
        cluster = eks.describe_cluster(name=name)["cluster"]
        assert cluster["status"] == "ACTIVE"
        assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"] is True
        assert eks.list_nodegroups(clusterName=name)["nodegroups"]


def test_each_pipeline_has_a_role_of_its_own(client: Any) -> None:
    names = {role["RoleName"] for role in client("iam").list_roles()["Roles"]}
    assert {f"acme-dev-ci-{name}" for name in ("leaderboard", "tournaments")} <= names
    assert {f"acme-dev-ci-{name}" for name in ("tv-api", "tv-frontend")} <= names
    assert not [name for name in names if name.startswith("acme-prod-ci-")]
