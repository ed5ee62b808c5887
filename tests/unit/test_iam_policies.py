"""The policies of whoever runs `pulumi up`: made from the calls, narrow, not too large for IAM."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from settings.environment import Settings
from settings.loading import load_files
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.recording import Recording
from tests.unit.test_private_rules import bounded, change
from tests.unit.whole_program import record_program
from tools.iam import __main__ as command
from tools.iam import boundary, calls, documents
from tools.iam.beside import NEVER_CALLED
from tools.iam.policy import UnknownActionError, size
from tools.iam.scopes import ATTACHED

CALLED = {"dev": calls.committed()["dev"], "prod": calls.committed()["prod"]}
MODELS = {"servicequotas": "service-quotas"}
"""Services whose model has another name than their actions."""
BOUNDARY = "arn:aws:iam::123456789012:policy/acme-dev-boundary"
AUTO_MODE = [
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:GetInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:PassRole",
]
ACCOUNTS = {"dev": "123456789012", "prod": "210987654321"}
RECORD = [
    '{"stack": "dev", "actions": ["eks:CreateCluster", "iam:PassRole"]}',
    '{"stack": "prod", "actions": ["eks:DeleteCluster"]}',
    '{"stack": null, "actions": ["ecr:DescribeImages"]}',
    "",
]


def statements(settings: Settings, called: list[str]) -> dict[str, dict[str, Any]]:
    return {s["Sid"]: s for d in documents(settings, called) for s in d["Statement"]}


@pytest.fixture(scope="module", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_written_policies_are_what_the_calls_say() -> None:
    there = {path for path in command.FOLDER.glob("*.json") if path != calls.FILE}

    assert there == {path for path, _ in command.files()}, "run `python -m tools.iam`"
    for path, text in command.files():
        assert path.read_text(encoding="utf-8") == text, "run `python -m tools.iam`"


def test_every_stack_has_policies_and_one_without_known_calls_the_actions_of_all(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = configuration / "Pulumi.prod.yaml"
    text = committed.read_text(encoding="utf-8")
    for old, new in (("10.20.0.0/16", "10.30.0.0/16"), ("acme.example", "stage.acme.example")):
        text = text.replace(old, new)
    committed.unlink()
    (configuration / "Pulumi.stage.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(command, "ROOT", configuration)
    written = {path.name: text for path, text in command.files()}
    assert sorted(written) == [
        "dev-1.json", "dev-2.json", "dev-boundary.json",
        "stage-1.json", "stage-2.json", "stage-boundary.json",
    ]  # fmt: skip
    assert '"eks:UpdateNodegroupVersion"' in written["stage-1.json"] + written["stage-2.json"]


def test_every_document_fits_into_a_managed_policy(stack: str) -> None:
    made = documents(load_files(stack, CHECKOUT), CALLED[stack])

    assert len(made) == 2
    assert [size(document) for document in made if size(document) > 6144] == []


def test_a_record_of_calls_becomes_a_list_of_actions() -> None:
    assert calls.of_record(RECORD, "dev") == ["eks:CreateCluster"]


def test_what_no_call_shows_comes_with_the_call_that_needs_it(dev: Settings) -> None:
    made = statements(dev, ["eks:CreateCluster"])

    assert {action for s in made.values() for action in s["Action"]} == {
        "ec2:CreateTags",
        "eks:CreateCluster",
        "eks:TagResource",
        "iam:CreateServiceLinkedRole",
        "iam:GetRole",
        "iam:PassRole",
        "kms:CreateGrant",
    }
    assert made["PassRoles"]["Resource"] == ["arn:aws:iam::123456789012:role/acme-dev-*"]


def test_an_action_that_no_scope_knows_is_named(dev: Settings) -> None:
    with pytest.raises(UnknownActionError, match="no line for s3:DeleteBucket; add each"):
        documents(dev, ["eks:CreateCluster", "s3:DeleteBucket"])


def test_every_called_action_is_an_operation_of_aws(stack: str) -> None:
    session = botocore.session.get_session()
    for action in CALLED[stack]:
        prefix, _, operation = action.partition(":")
        service = MODELS.get(prefix, prefix)
        assert operation in session.get_service_model(service).operation_names, action


def test_nothing_is_allowed_that_was_neither_called_nor_comes_with_it(stack: str) -> None:
    made = statements(load_files(stack, CHECKOUT), CALLED[stack])

    allowed = {action for s in made.values() for action in s["Action"]}
    assert allowed <= {*CALLED[stack], *NEVER_CALLED}
    assert not [action for action in allowed if "*" in action]


def test_whatever_is_allowed_on_everything_only_reads_or_has_a_condition(stack: str) -> None:
    reading = re.compile(
        r"\w+:(Describe|List|GetAuthorizationToken|GetServiceQuota|GetAWSDefaultServiceQuota"
        r"|GetHostedZone|GetChange)"
    )
    for sid, statement in statements(load_files(stack, CHECKOUT), CALLED[stack]).items():
        everything = any(arn.endswith(("*:*", "/*")) or arn == "*" for arn in statement["Resource"])
        named = all("acme-" in arn or "repository/" in arn for arn in statement["Resource"])
        if everything and not named and "Condition" not in statement:
            assert all(map(reading.match, statement["Action"])), sid


def test_prods_role_cannot_touch_the_registry_or_pipelines(prod: Settings) -> None:
    actions = {a for s in statements(prod, CALLED["prod"]).values() for a in s["Action"]}

    assert not [a for a in actions if a.startswith("ecr:") or "OpenIDConnect" in a]


# The program lies within its policies


def created(recording: Recording, account: str) -> Iterator[tuple[str, str]]:
    """The Sid under which each named object of the program has to be, and its ARN."""
    home = f"eu-central-1:{account}"
    for role in recording.of("aws:iam/role:Role"):
        yield "BoundRoles", f"arn:aws:iam::{account}:role/{role.inputs['name']}"
    for group in recording.of("aws:cloudwatch/logGroup:LogGroup"):
        yield "LogGroups", f"arn:aws:logs:{home}:log-group:{group.inputs['name']}"
    for alias in recording.of("aws:kms/alias:Alias"):
        yield "Aliases", f"arn:aws:kms:{home}:{alias.inputs['name']}"
    for repository in recording.resources:
        if repository.type == "aws:ecr/repository:Repository":
            yield "Repositories", f"arn:aws:ecr:{home}:repository/{repository.inputs['name']}"
    for cluster in recording.of("aws:eks/cluster:Cluster"):
        yield "Clusters", f"arn:aws:eks:{home}:cluster/{cluster.inputs['name']}"
    for group in recording.resources:
        inputs = group.inputs
        if group.type != "aws:eks/nodeGroup:NodeGroup":
            continue
        name = f"nodegroup/{inputs['clusterName']}/{inputs['nodeGroupName']}/12345678"
        yield "Clusters", f"arn:aws:eks:{home}:{name}"


def test_every_named_object_of_the_program_is_named_by_the_policies(stack: str) -> None:
    made = statements(load_files(stack, CHECKOUT), CALLED[stack])
    recording = record_program(stack, CHECKOUT, CHECKOUT / "__main__.py")

    outside = [
        (sid, arn)
        for sid, arn in created(recording, ACCOUNTS[stack])
        if not any(fnmatchcase(arn, pattern) for pattern in made[sid]["Resource"])
    ]
    assert outside == []
    attached = {
        one.inputs["policyArn"].partition(":policy/")[2]
        for one in recording.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    assert attached <= set(ATTACHED)


# The boundary


def test_a_boundary_is_on_every_role_and_nobody_makes_one_without(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:permissionsBoundary": BOUNDARY}))

    recording = record_program("dev", configuration, CHECKOUT / "__main__.py")
    made = statements(load_files("dev", configuration), CALLED["dev"])

    roles = recording.of("aws:iam/role:Role")
    assert len(roles) > 5
    assert {role.inputs["permissionsBoundary"] for role in roles} == {BOUNDARY}
    bounded = {"iam:PermissionsBoundary": BOUNDARY}
    assert made["BoundRoles"]["Condition"] == {"StringEquals": bounded}
    assert made["AttachPolicies"]["Condition"]["StringEquals"] == bounded


def test_an_environment_without_a_boundary_is_what_it_was() -> None:
    roles = record_program("dev", CHECKOUT, CHECKOUT / "__main__.py").of("aws:iam/role:Role")

    assert not [role.name for role in roles if "permissionsBoundary" in role.inputs]


def test_within_the_boundary_nobody_becomes_an_administrator(dev: Settings, prod: Settings) -> None:
    for settings, more in ((dev, AUTO_MODE), (prod, [])):
        allowed = [action for s in boundary(settings)["Statement"] for action in s["Action"]]

        assert [a for a in allowed if a.startswith(("iam:", "sts:", "*", "organizations:"))] == [
            "iam:CreateServiceLinkedRole",
            "sts:TagSession",
            *more,
        ]
        assert json.dumps(boundary(settings)).count("NotAction") == 0
        assert size(boundary(settings)) <= 6144


def test_auto_mode_passes_no_role_but_that_of_nodes(dev: Settings) -> None:
    passing = next(s for s in boundary(dev)["Statement"] if "iam:PassRole" in s["Action"])

    assert passing["Resource"] == ["arn:aws:iam::123456789012:role/acme-dev-auto-nodes"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_the_boundary_lets_external_secrets_read_where_services_have_secrets(
    configuration: Path, bend: Bend, dev: Settings
) -> None:
    change(bend, secrets=["TOKEN"])
    without = [s["Sid"] for s in boundary(dev)["Statement"]]
    with_them = boundary(load_files("dev", configuration))["Statement"]

    assert [s for s in with_them if s["Sid"] not in without] == [
        {
            "Sid": "Secrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:acme/dev/*/*/*"],
        },
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": ["arn:aws:iam::123456789012:role/acme-dev-secrets-reader"],
        },
    ]


def test_policies_of_services_may_be_attached(configuration: Path, bend: Bend) -> None:
    policy = "arn:aws:iam::123456789012:policy/uploads"
    bounded(bend)
    change(bend, aws={"policies": [policy]}, environments=["dev"])
    made = statements(load_files("dev", configuration), ["iam:AttachRolePolicy"])

    assert policy in made["AttachPolicies"]["Condition"]["ArnEquals"]["iam:PolicyARN"]


def test_alarms_and_their_topic_are_allowed_where_the_stack_has_them(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", lambda config: config.update({"platform:observability": {}}))
    settings = load_files("prod", configuration)
    made = statements(settings, ["eks:CreateCluster"])
    assert made["Alarms"]["Resource"] == [
        "arn:aws:cloudwatch:eu-central-1:210987654321:alarm:acme-prod-*"
    ]
    assert made["Topics"]["Resource"] == ["arn:aws:sns:eu-central-1:210987654321:acme-prod-*"]
    limit = {one["Sid"]: one for one in boundary(settings)["Statement"]}
    assert limit["Metrics"]["Action"] == ["cloudwatch:PutMetricData"]
    assert limit["LogGroups"]["Resource"] == [
        "arn:aws:logs:eu-central-1:210987654321:log-group:/aws/containerinsights/acme-prod/*"
    ]


def test_without_alarms_nothing_of_them_is_allowed(prod: Settings) -> None:
    made = statements(prod, CALLED["prod"])
    assert not {"Alarms", "Topics"} & made.keys()
    assert not {"Metrics", "LogGroups"} & {one["Sid"] for one in boundary(prod)["Statement"]}
