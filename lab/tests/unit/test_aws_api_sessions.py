"""Tags of sessions: what the program's own policies let the reader of secrets read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.secrets.values import reader_policy
from lab.aws_api.policies import Request, decision
from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import ACCOUNT, REGION, TRUST, LabAws
from settings.aws_account import AwsAccount
from settings.naming import Names

READER = "acme-dev-secrets-reader"
SECRETS = (
    "acme/dev/shop/web/TOKEN",
    "acme/dev/shop/api/TOKEN",
    "acme/dev/shops/web/TOKEN",
    "acme/prod/shop/web/TOKEN",
)
OWN = {"namespace": "shop", "service": "web"}


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    """AWS in which the reader is checked, and can do what the program lets it do."""
    lab = aws_in_process.begin(tmp_path)
    iam = lab.client("iam")
    for role in (READER, "operator"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    account = AwsAccount(id=ACCOUNT, region=REGION)
    iam.put_role_policy(
        RoleName=READER,
        PolicyName="secrets",
        PolicyDocument=reader_policy(Names("acme", "dev"), account),
    )
    for name in SECRETS:
        lab.client("secretsmanager").create_secret(Name=name, SecretString=f"value of {name}")
    lab.site.checked_roles.write_text(f"{READER}\n")
    return lab


def assumed(aws: LabAws, role: str, tags: dict[str, str], **more: Any) -> dict[str, str]:
    """Credentials of a session with tags; `by` are those of the caller."""
    keys = aws.client("sts", **more.pop("by", {})).assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        RoleSessionName="test",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        **more,
    )["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


def readable(aws: LabAws, session: dict[str, str]) -> list[str]:
    """The secrets that the session reads."""
    manager = aws.client("secretsmanager", **session)
    found = []
    for name in SECRETS:
        try:
            assert manager.get_secret_value(SecretId=name)["SecretString"] == f"value of {name}"
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
        else:
            found.append(name)
    return found


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (OWN, ["acme/dev/shop/web/TOKEN"]),
        ({"namespace": "shop", "service": "api"}, ["acme/dev/shop/api/TOKEN"]),
        ({"namespace": "shop"}, []),
        ({"service": "web"}, []),
        ({}, []),
    ],
)
def test_a_session_reads_the_secrets_of_its_service_in_its_environment(
    aws: LabAws, tags: dict[str, str], expected: list[str]
) -> None:
    assert readable(aws, assumed(aws, READER, tags)) == expected


def test_transitive_tags_pass_on_and_others_do_not(aws: LabAws) -> None:
    operator = assumed(aws, "operator", {**OWN, "service": "api"}, TransitiveTagKeys=["namespace"])
    chained = assumed(aws, READER, {"service": "web"}, by=operator)
    assert readable(aws, chained) == ["acme/dev/shop/web/TOKEN"]
    alone = assumed(aws, READER, {}, by=operator)
    assert readable(aws, alone) == []


def test_a_tag_that_is_not_there_matches_nothing() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team}/*",
    }
    asked = Request(action="s3:GetObject", resources=["arn:aws:s3:::b//x"])
    assert decision([{"Statement": [statement]}], asked) == "none"
    tagged = Request(
        action="s3:GetObject",
        resources=["arn:aws:s3:::b/tv/x"],
        context={"aws:principaltag/team": ["tv"]},
    )
    assert decision([{"Statement": [statement]}], tagged) == "allow"
