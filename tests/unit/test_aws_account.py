"""ARNs and host names of one account and region."""

from __future__ import annotations

import pytest

from settings.aws_account import AwsAccount


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("eu-central-1", "aws", "123456789012.dkr.ecr.eu-central-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_region_decides_partition_and_registry(region: str, partition: str, host: str) -> None:
    account = AwsAccount(id="123456789012", region=region)
    assert account.registry_host == host
    assert account.root_arn == f"arn:{partition}:iam::123456789012:root"
    assert account.role_arn("ci") == f"arn:{partition}:iam::123456789012:role/ci"
    assert account.cluster_arn("acme-dev") == (
        f"arn:{partition}:eks:{region}:123456789012:cluster/acme-dev"
    )
    assert account.image_repository_arn("streaming/tv-api") == (
        f"arn:{partition}:ecr:{region}:123456789012:repository/streaming/tv-api"
    )
    assert account.managed_policy_arn("A") == f"arn:{partition}:iam::aws:policy/A"
    assert account.access_policy_arn("A") == f"arn:{partition}:eks::aws:cluster-access-policy/A"
