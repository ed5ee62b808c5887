"""IAM in the lab: which calls a role's policies and its permissions boundary allow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws_api.policies import Request, decision
from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import ACCOUNT, TRUST, LabAws

EKS = f"arn:aws:eks:eu-central-1:{ACCOUNT}:cluster"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    """AWS in which the sessions of `pulumi`, and nobody else's, are checked."""
    lab = aws_in_process.begin(tmp_path)
    iam = lab.client("iam")
    iam.create_role(RoleName="pulumi", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=TRUST)
    lab.site.checked_roles.write_text("pulumi\n")
    return lab


def give(aws: LabAws, *statements: dict[str, Any]) -> dict[str, str]:
    """A session of the role with these statements."""
    aws.client("iam").put_role_policy(
        RoleName="pulumi", PolicyName="own", PolicyDocument=policy(*statements)
    )
    return aws.session("pulumi")


def test_alarms_and_topics_are_allowed_by_their_names(aws: LabAws) -> None:
    alarm = {
        "MetricName": "m", "Namespace": "n", "ComparisonOperator": "LessThanThreshold",
        "EvaluationPeriods": 1, "Threshold": 1, "Period": 60, "Statistic": "Sum",
    }  # fmt: skip
    session = give(
        aws,
        allow("cloudwatch:PutMetricAlarm", resource=f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:acme-*"),
        allow("sns:CreateTopic", resource=f"arn:aws:sns:*:{ACCOUNT}:acme-*"),
    )
    cloudwatch, sns = aws.client("cloudwatch", **session), aws.client("sns", **session)
    cloudwatch.put_metric_alarm(AlarmName="acme-dev-a", **alarm)
    sns.create_topic(Name="acme-dev-alarms")
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricAlarm"):
        cloudwatch.put_metric_alarm(AlarmName="other-a", **alarm)
    with pytest.raises(ClientError, match="not authorized to perform: sns:CreateTopic"):
        sns.create_topic(Name="other")


def test_a_checked_role_may_do_what_its_policies_allow_and_no_more(aws: LabAws) -> None:
    session = give(aws, allow("eks:List*", "ec2:DescribeVpcs"))

    aws.client("eks", **session).list_clusters()
    aws.client("ec2", **session).describe_vpcs()
    for service, call, code in (
        ("ec2", "describe_subnets", "UnauthorizedOperation"),
        ("ecr", "describe_repositories", "AccessDeniedException"),
        ("iam", "list_roles", "AccessDenied"),
        ("kms", "list_keys", "AccessDeniedException"),
        ("logs", "describe_log_groups", "AccessDeniedException"),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(aws.client(service, **session), call)()
        response: Any = refused.value.response
        assert response["Error"]["Code"] == code
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert "assumed-role/pulumi/lab is not authorized" in response["Error"]["Message"]
    assert aws.calls()[-1]["answered"] == "refused"


def test_stand_ins_are_behind_the_same_check(aws: LabAws) -> None:
    session = give(aws, allow("eks:CreateAddon", resource=f"{EKS}/acme-dev"))
    eks = aws.client("eks", **session)

    for cluster, code in (
        ("acme-dev", "ResourceNotFoundException"),
        ("acme-prod", "AccessDeniedException"),
    ):
        with pytest.raises(ClientError, match=code):
            eks.create_addon(clusterName=cluster, addonName="vpc-cni")


def test_others_are_not_checked(aws: LabAws) -> None:
    aws.client("ec2", **aws.session("free")).describe_subnets()
    aws.client("ec2").describe_subnets()
    aws.client("sts", **aws.session("pulumi")).get_caller_identity()


def test_a_boundary_limits_what_policies_allow(aws: LabAws) -> None:
    session = give(aws, allow("ec2:*", "eks:*"))
    iam = aws.client("iam")
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("ec2:Describe*")))
    iam.put_role_permissions_boundary(RoleName="pulumi", PermissionsBoundary=arn["Policy"]["Arn"])

    aws.client("ec2", **session).describe_vpcs()
    with pytest.raises(ClientError, match="permissions boundary does not allow it"):
        aws.client("eks", **session).list_clusters()


def test_handing_a_role_to_a_service_needs_a_permission_of_its_own(aws: LabAws) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/acme-dev-cluster"
    wanted = {"name": "acme-dev", "roleArn": role, "resourcesVpcConfig": {"subnetIds": ["s"]}}
    session = give(aws, allow("eks:CreateCluster"))
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {role}"):
        aws.client("eks", **session).create_cluster(**wanted)

    session = give(aws, allow("eks:CreateCluster"), allow("iam:PassRole", resource=f"{role[:-7]}*"))
    with pytest.raises(ClientError, match="InvalidParameterException"):
        aws.client("eks", **session).create_cluster(**wanted)


def test_creating_with_tags_needs_the_right_to_tag(aws: LabAws) -> None:
    session = give(aws, allow("ec2:CreateVpc", "ecr:CreateRepository", "iam:CreateRole"))
    tags = [{"Key": "Team", "Value": "x"}]
    specified = [{"ResourceType": "vpc", "Tags": tags}]
    trusting = {"RoleName": "x", "AssumeRolePolicyDocument": TRUST}
    ec2, ecr, iam = (aws.client(service, **session) for service in ("ec2", "ecr", "iam"))
    for call, parameters, action in (
        (
            ec2.create_vpc,
            {"CidrBlock": "10.0.0.0/16", "TagSpecifications": specified},
            "ec2:CreateTags",
        ),
        (ecr.create_repository, {"repositoryName": "a/b", "tags": tags}, "ecr:TagResource"),
        (iam.create_role, {**trusting, "Tags": tags}, "iam:TagRole"),
    ):
        with pytest.raises(ClientError, match=action):
            call(**parameters)
        assert action in aws.calls()[-1]["actions"]
    iam.create_role(**trusting)


def test_a_role_may_be_let_make_only_roles_within_a_boundary(aws: LabAws) -> None:
    iam = aws.client("iam")
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("ecr:*")))
    arn = limit["Policy"]["Arn"]
    within = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    session = give(aws, allow("iam:CreateRole", "iam:PutRolePolicy", Condition=within))
    iam = aws.client("iam", **session)
    document = {"PolicyName": "p", "PolicyDocument": policy(allow("ecr:*"))}

    with pytest.raises(ClientError, match="AccessDenied"):
        iam.create_role(RoleName="wild", AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="tame", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
    iam.put_role_policy(RoleName="tame", **document)
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.put_role_policy(RoleName="free", **document)


REQUEST = Request(
    action="eks:CreateCluster",
    resources=[f"{EKS}/acme-dev"],
    context={"aws:requestedregion": ["eu-central-1"], "aws:tagkeys": ["Environment", "Team"]},
)


@pytest.mark.parametrize(
    ("statements", "decided"),
    [
        ([], "none"),
        ([allow("eks:createcluster")], "allow"),
        ([allow("eks:Create*", resource=f"{EKS}/acme-*")], "allow"),
        ([allow("eks:CreateCluster", resource=f"{EKS}/acme")], "none"),
        ([allow("eks:CreateCluste?")], "allow"),
        ([allow("eksXCreateCluster")], "none"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "allow"),
        ([{"Effect": "Allow", "Action": "*", "NotResource": f"{EKS}/acme-dev"}], "none"),
        ([allow("*"), {"Effect": "Deny", "Action": "eks:*", "Resource": "*"}], "deny"),
        (
            [
                allow(
                    "*", Condition={"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-*"]}}
                )
            ],
            "none",
        ),
        ([allow("*", Condition={"StringLike": {"aws:RequestedRegion": "eu-*"}})], "allow"),
        ([allow("*", Condition={"StringNotEquals": {"aws:RequestedRegion": "us-1"}})], "allow"),
        (
            [allow("*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}})],
            "none",
        ),
        (
            [allow("*", Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": ["Team"]}})],
            "allow",
        ),
        (
            [
                allow("*"),
                {
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}},
                },
            ],
            "allow",
        ),
    ],
)
def test_policies_are_evaluated_as_iam_does(statements: list[dict[str, Any]], decided: str) -> None:
    assert decision([{"Statement": statements}], REQUEST) == decided


def test_a_value_that_nobody_knows_here_neither_keeps_from_a_thing_nor_forbids_it() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/Environment": "dev"}}
    allowed = [allow("eks:*", Condition=condition)]
    denied = [*allowed, {**allowed[0], "Effect": "Deny"}]

    assert decision([{"Statement": allowed}], REQUEST) == "allow"
    assert decision([{"Statement": denied}], REQUEST) == "allow"
