"""What the program declared is in AWS: asked with boto3, past Pulumi."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab import supervisor
from lab.aws_api.record import nobody_answered, recorded
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty

Client = Callable[..., Any]


@pytest.fixture
def client(lab: Lab) -> Client:
    """Makes boto3 clients for the lab's AWS."""
    return lab.aws


def test_there_is_a_repository_for_each_service(client: Client) -> None:
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
            {"filterType": "WILDCARD", "filter": "dev"},
            {"filterType": "WILDCARD", "filter": "build-*"},
            {"filterType": "WILDCARD", "filter": "sha256-*"},
        ]


def test_each_environment_has_a_vpc_in_its_own_account(client: Client) -> None:
    ours = [{"Name": "tag:ManagedBy", "Values": ["pulumi"]}]
    found = {
        environment: client("ec2", environment).describe_vpcs(Filters=ours)["Vpcs"]
        for environment in ("dev", "prod")
    }
    assert [(vpc["OwnerId"], vpc["CidrBlock"]) for vpc in found["dev"]] == [
        ("123456789012", "10.10.0.0/16")
    ]
    assert [(vpc["OwnerId"], vpc["CidrBlock"]) for vpc in found["prod"]] == [
        ("210987654321", "10.20.0.0/16")
    ]


def test_each_environment_has_a_cluster_that_only_its_access_entries_open(
    client: Client,
) -> None:
    for environment in ("dev", "prod"):
        eks = client("eks", environment)
        (name,) = eks.list_clusters()["clusters"]
        assert name == f"acme-{environment}"
        cluster = eks.describe_cluster(name=name)["cluster"]
        assert cluster["status"] == "ACTIVE"
        assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"] is True


def test_aws_makes_the_nodes_of_dev_and_prod_has_a_node_group(client: Client) -> None:
    def nodes(environment: str) -> tuple[bool, int]:
        """Whether AWS makes them, and how many groups there are."""
        eks, name = client("eks", environment), f"acme-{environment}"
        compute = eks.describe_cluster(name=name)["cluster"].get("computeConfig", {})
        return compute.get("enabled"), len(eks.list_nodegroups(clusterName=name)["nodegroups"])

    assert (nodes("dev"), nodes("prod")) == ((True, 0), (False, 1))


def test_each_pipeline_has_a_role_of_its_own(client: Client) -> None:
    names = {role["RoleName"] for role in client("iam").list_roles()["Roles"]}
    assert {f"acme-dev-ci-{name}" for name in ("leaderboard", "tournaments")} <= names
    assert {f"acme-dev-ci-{name}" for name in ("tv-api", "tv-frontend")} <= names
    assert not [name for name in names if name.startswith("acme-prod-ci-")]


def test_every_call_of_the_platform_was_answered(lab: Lab) -> None:
    calls = recorded(lab.site.aws_calls)
    ours = [call for call in calls if ":assumed-role/platform/" in str(call["caller"])]

    assert {"eks:CreateCluster", "ecr:CreateRepository"} <= {a for c in ours for a in c["actions"]}
    unanswered = nobody_answered(calls)
    assert unanswered == [], "add them to lab/aws_api/stand_ins/"


def test_a_killed_aws_comes_back_as_it_was(lab: Lab, client: Client) -> None:
    def state() -> dict[str, Any]:
        return {
            environment: {
                "clusters": eks.list_clusters()["clusters"],
                "node groups": eks.list_nodegroups(clusterName=f"acme-{environment}")["nodegroups"],
                "VPCs": sorted(vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]),
                "roles": sorted(role["Arn"] for role in iam.list_roles()["Roles"]),
            }
            for environment in ("dev", "prod")
            for eks, ec2, iam in [[client(name, environment) for name in ("eks", "ec2", "iam")]]
        }

    before = state()
    assert before["prod"]["clusters"] == ["acme-prod"]
    killed = lab.kill("aws")

    def away() -> list[str]:
        unnoticed = [p.name for p in supervisor.status(lab.site) if p.pid == killed.pid]
        return unnoticed or lab.unready()

    wait_until_empty("the return of AWS", away, seconds=90)
    assert state() == before
