"""Two accounts: who lists and pulls what the registry of another account has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components import policies
from components.registry.registry import PULLING
from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import ACCOUNT, LabAws

PROD, STRANGER = "210987654321", "555555555555"
REPOSITORY = "streaming/tv-api"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{'0' * 64}", "size": 2},
        "layers": [],
    }
)


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    """The registry in one account with an image, which the other account may pull."""
    lab = aws_in_process.begin(tmp_path)
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=MANIFEST, imageTag="v20261127-0c4d1aa")
    pull = {
        "Sid": "Pull",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"},
        "Action": list(PULLING),
    }
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=policies.document(pull))
    return lab


def of(aws: LabAws, account: str) -> Any:
    """ECR as a role of that account calls it."""
    keys = aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/releaser", RoleSessionName="lab"
    )["Credentials"]
    return aws.client(
        "ecr",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_a_release_lists_the_images_of_the_other_account(aws: LabAws) -> None:
    found = of(aws, PROD).describe_images(registryId=ACCOUNT, repositoryName=REPOSITORY)
    assert [image["imageTags"] for image in found["imageDetails"]] == [["v20261127-0c4d1aa"]]


def test_tags_and_manifests_of_the_other_account_can_be_read(aws: LabAws) -> None:
    ecr = of(aws, PROD)
    listed = ecr.list_images(registryId=ACCOUNT, repositoryName=REPOSITORY)["imageIds"]
    assert [image["imageTag"] for image in listed] == ["v20261127-0c4d1aa"]
    got = ecr.batch_get_image(registryId=ACCOUNT, repositoryName=REPOSITORY, imageIds=listed)
    assert [image["imageManifest"] for image in got["images"]] == [MANIFEST]


def test_an_account_without_an_environment_sees_nothing(aws: LabAws) -> None:
    with pytest.raises(ClientError) as refused:
        of(aws, STRANGER).describe_images(registryId=ACCOUNT, repositoryName=REPOSITORY)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "no resource-based policy allows it" in str(refused.value)


def test_the_other_account_has_no_such_repository_itself(aws: LabAws) -> None:
    with pytest.raises(ClientError) as missing:
        of(aws, PROD).describe_images(repositoryName=REPOSITORY)
    assert missing.value.response["Error"]["Code"] == "RepositoryNotFoundException"
