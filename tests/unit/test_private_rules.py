"""Secrets and rights in AWS that cannot work are refused, each with its place and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings.catalogue import Service
from settings.loading import load_files
from tests.unit.conftest import Bend, change_service
from tests.unit.test_settings import report

PATH = "namespaces.streaming.services.tv-api"
WHERE = "services.yaml: namespaces.streaming.services.tv-api"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
READ = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::acme/*"]}
VARIABLE = (
    "must be the name of an environment variable that begins with a letter and ends with a letter "
    "or a digit, 128 characters at most"
)
FILE = (
    "must be a file name of letters, digits and, between two of them, dots, hyphens and "
    "underscores, 128 characters at most"
)
ACTION = "must be an action of IAM with its service, such as s3:GetObject or sqs:*"
RESOURCE = "must be an ARN such as arn:aws:s3:::acme-media/*, or *"

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "one name without a list": (
        {"secrets": "TOKEN"},
        ".secrets.env: must be a list (given: TOKEN); write [one, two], or one entry a line behind "
        "a hyphen",
    ),
    "a value where a name belongs": (
        {"secrets": {"TOKEN": "hunter2"}},
        ".secrets.TOKEN: is not a key known here; remove it; known keys: env, files",
    ),
    "a number": (
        {"secrets": [7]},
        ".secrets.env[0]: must be text (given: 7); put it in quotes",
    ),
    "a variable with a hyphen": (
        {"secrets": ["API-TOKEN"]},
        f".secrets.env[0]: {VARIABLE} (given: API-TOKEN); correct the value",
    ),
    "a variable that Kubernetes could not name": (
        {"secrets": ["_TOKEN"]},
        f".secrets.env[0]: {VARIABLE} (given: _TOKEN); correct the value",
    ),
    "a variable that is too long": (
        {"secrets": ["A" * 129]},
        f".secrets.env[0]: {VARIABLE} (given: {'A' * 129}); correct the value",
    ),
    "a file in a folder": (
        {"secrets": {"files": ["keys/one"]}},
        f".secrets.files[0]: {FILE} (given: keys/one); correct the value",
    ),
    "a file with two dots": (
        {"secrets": {"files": ["a..b"]}},
        f".secrets.files[0]: {FILE} (given: a..b); correct the value",
    ),
    "a name twice": (
        {"secrets": ["TOKEN", "TOKEN"]},
        ".secrets.env: names TOKEN twice (given: ['TOKEN', 'TOKEN']); name each one once",
    ),
    "names that Kubernetes cannot tell apart": (
        {"secrets": {"env": ["API_KEY"], "files": ["api-key"]}},
        ".secrets: and API_KEY would be one Secret of Kubernetes, tv-api.api-key (given: api-key); "
        "give one of them another name",
    ),
    "a secret that is also in env": (
        {"secrets": ["TOKEN"], "env": {"TOKEN": "hunter2"}},
        f".secrets: is a secret, and {PATH}.env sets it for everybody who reads Git (given: "
        f"TOKEN); remove it from {PATH}.env, or from secrets",
    ),
    "a secret that an override sets": (
        {"secrets": ["TOKEN"], "overrides": {"dev": {"env": {"TOKEN": "hunter2"}}}},
        f".secrets: is a secret, and {PATH}.overrides.dev.env sets it for everybody who "
        f"reads Git (given: TOKEN); remove it from {PATH}.overrides.dev.env, or from secrets",
    ),
    "a variable of the platform": (
        {"secrets": ["PORT"]},
        ".secrets: is set by the platform (given: PORT); give the secret another name",
    ),
    "a volume where the files are": (
        {
            "secrets": {"files": ["key"]},
            "storage": {"data": {"path": "/secrets/data", "size": "1Gi", "class": "gp3"}},
        },
        ".storage.data.path: and /secrets (the files of secrets) are one inside the other "
        "(given: /secrets/data); choose a separate folder",
    ),
    "a volume of that name": (
        {
            "secrets": {"files": ["key"]},
            "storage": {"secrets": {"path": "/data", "size": "1Gi", "class": "gp3"}},
        },
        ".storage.secrets: is a volume of the platform (given: secrets); give it another name",
    ),
    "no rights": (
        {"aws": {}},
        ".aws: allows nothing; add policies or statements, or remove it",
    ),
    "rights as a list": (
        {"aws": ["s3:*"]},
        ".aws: must be a mapping (given: ['s3:*']); indent its keys below it",
    ),
    "a policy by its name": (
        {"aws": {"policies": ["AmazonS3ReadOnlyAccess"]}},
        ".aws.policies[0]: must be the ARN of an IAM policy (given: AmazonS3ReadOnlyAccess); "
        "correct the value",
    ),
    "a role for a policy": (
        {"aws": {"policies": ["arn:aws:iam::123456789012:role/admin"]}},
        ".aws.policies[0]: must be the ARN of an IAM policy (given: "
        "arn:aws:iam::123456789012:role/admin); correct the value",
    ),
    "a policy of another account": (
        {"aws": {"policies": ["arn:aws:iam::210987654321:policy/uploads"]}},
        ".aws.policies[0]: is no policy of the account of dev, 123456789012 in aws (given: "
        "arn:aws:iam::210987654321:policy/uploads); name a policy of that account or of AWS, or "
        "write it below overrides.<environment>.aws",
    ),
    "a statement in IAM's own words": (
        {"aws": {"statements": [{"Action": "s3:*", **READ}]}},
        ".aws.statements[0].Action: is not a key known here; did you mean actions?",
    ),
    "a statement without resources": (
        {"aws": {"statements": [{"actions": ["s3:*"]}]}},
        ".aws.statements[0].resources: is missing; add it: see docs/reference.md",
    ),
    "a statement of nothing": (
        {"aws": {"statements": [{"actions": [], "resources": ["*"]}]}},
        ".aws.statements[0].actions: must name 1 at least (given: []); add what is missing",
    ),
    "every action": (
        {"aws": {"statements": [{**READ, "actions": ["*"]}]}},
        f".aws.statements[0].actions[0]: {ACTION} (given: *); correct the value",
    ),
    "an action without a service": (
        {"aws": {"statements": [{**READ, "actions": ["GetObject"]}]}},
        f".aws.statements[0].actions[0]: {ACTION} (given: GetObject); correct the value",
    ),
    "a resource that is no ARN": (
        {"aws": {"statements": [{**READ, "resources": ["acme-media/*"]}]}},
        f".aws.statements[0].resources[0]: {RESOURCE} (given: acme-media/*); correct the value",
    ),
    "a condition that IAM does not know": (
        {"aws": {"statements": [{**READ, "condition": {"Equals": {"s3:prefix": "a"}}}]}},
        ".aws.statements[0].condition.Equals: must be an operator of IAM's conditions such as "
        "StringEquals (given: Equals); correct the value",
    ),
    "a condition without a key": (
        {"aws": {"statements": [{**READ, "condition": {"StringEquals": {"prefix": "a"}}}]}},
        ".aws.statements[0].condition.StringEquals.prefix: must be a key of IAM's conditions such "
        "as s3:prefix (given: prefix); correct the value",
    ),
    "more than a role's policy holds": (
        {"aws": {"statements": [{**READ, "resources": ["arn:aws:s3:::" + "a" * 9_900]}]}},
        ".aws.statements: are more than a role's own policy holds beside the platform's statement, "
        "9840 (given: 9994 characters); make a managed policy of them, and name it in policies",
    ),
}


def bounded(bend: Bend) -> None:
    for stack in ("dev", "prod"):
        bend(
            f"Pulumi.{stack}.yaml",
            lambda config: config.update({"platform:permissionsBoundary": BOUNDARY}),
        )


def change(bend: Bend, **keys: Any) -> None:
    change_service(bend, "streaming", "tv-api", **keys)


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_work_is_refused(configuration: Path, bend: Bend, case: str) -> None:
    keys, message = CASES[case]
    bounded(bend)
    bend("Pulumi.prod.yaml", lambda config: config["platform:cluster"].update(_driver()))
    change(bend, **{"environments": ["dev"]} if "another account" in case else {}, **keys)
    assert report(configuration) == [WHERE + message]


def _driver() -> dict[str, Any]:
    return {"addons": {"aws-ebs-csi-driver": "v1.63.1-eksbuild.1"}}


def test_a_role_holds_so_many_characters_of_rights(configuration: Path, bend: Bend) -> None:
    bounded(bend)
    resource = "arn:aws:s3:::" + "a" * 9_746
    change(bend, aws={"statements": [{**READ, "resources": [resource]}]})
    assert load_files("dev", configuration)
    change(bend, aws={"statements": [{**READ, "resources": [f"{resource}a"]}]})
    assert all("9840 (given: 9841 characters)" in problem for problem in report(configuration))


def test_rights_in_one_environment_are_told_where_they_are_written(
    configuration: Path, bend: Bend
) -> None:
    bounded(bend)
    policy = "arn:aws:iam::999999999999:policy/x"
    change(bend, overrides={"prod": {"aws": {"policies": [policy]}}})
    assert report(configuration) == [
        f"{WHERE}.overrides.prod.aws.policies[0]: is no policy of the account of prod, "
        f"210987654321 in aws (given: {policy}); name a policy of that account or of AWS, or write "
        "it below overrides.<environment>.aws"
    ]


def test_rights_want_a_boundary_in_each_environment(configuration: Path, bend: Bend) -> None:
    change(bend, aws={"statements": [READ]}, environments=["prod"])
    change_service(bend, "streaming", "tv-frontend", aws={"statements": [READ]})
    boundary = (
        ".yaml: platform:permissionsBoundary: is missing, and {} have rights in AWS (aws), which a "
        "boundary has to limit; add the ARN of a policy that allows at most what services may do: "
        "docs/iam/README.md"
    )
    assert report(configuration) == [
        f"Pulumi.dev{boundary.format('tv-frontend')}",
        f"Pulumi.prod{boundary.format('tv-api, tv-frontend')}",
    ]


def test_all_problems_arrive_together(configuration: Path, bend: Bend) -> None:
    change(
        bend,
        secrets={"env": ["PORT", "LEVEL"], "files": ["level"]},
        env={"LEVEL": "1"},
        aws={"policies": ["arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess"]},
    )
    assert sorted({line.split(": ")[1] for line in report(configuration)}) == [
        "namespaces.streaming.services.tv-api.aws.policies[0]",
        "namespaces.streaming.services.tv-api.secrets",
        "platform:permissionsBoundary",
    ]
    assert len(report(configuration)) == 7


@pytest.mark.parametrize(
    "kind",
    [
        "external-secrets.io/SecretStore",
        "external-secrets.io/ClusterSecretStore",
        "external-secrets.io/PushSecret",
        "external-secrets.io/ClusterExternalSecret",
        "external-secrets.io/ClusterPushSecret",
        "generators.external-secrets.io/STSSessionToken",
        "generators.external-secrets.io/Webhook",
    ],
)
def test_no_namespace_adds_a_kind_that_reads_others_secrets(
    configuration: Path, bend: Bend, kind: str
) -> None:
    bend(
        "services.yaml",
        lambda catalogue: catalogue["namespaces"]["streaming"].update(kinds=[kind]),
    )
    assert report(configuration) == [
        "services.yaml: namespaces.streaming.kinds[0]: would let every writer of the Git "
        f"repository grant rights in the cluster (given: {kind}); declare it in this program"
    ]


def test_the_platforms_namespace_takes_no_service(configuration: Path, bend: Bend) -> None:
    def rename(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["external-secrets"] = catalogue["namespaces"].pop("streaming")

    bend("services.yaml", rename)
    assert report(configuration) == [
        "services.yaml: namespaces.external-secrets: is a namespace of the cluster or of the "
        "platform itself (given: external-secrets); give the services a namespace of their own"
    ]


def service(configuration: Path) -> Service:
    return load_files("dev", configuration).catalogue.namespaces["streaming"].services["tv-api"]


def test_an_environment_may_have_other_rights(configuration: Path, bend: Bend) -> None:
    bounded(bend)
    write = {**READ, "actions": ["s3:PutObject"]}
    change(bend, aws={"statements": [READ]}, overrides={"prod": {"aws": {"statements": [write]}}})
    found = service(configuration)
    dev, prod = found.rights("dev"), found.rights("prod")
    assert dev and dev.statements[0].actions == ["s3:GetObject"]
    assert prod and prod.statements[0].actions == ["s3:PutObject"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:ResourceTag/team": "tv"}},
        {"ForAnyValue:StringNotEqualsIgnoreCase": {"aws:TagKeys": ["a", "b"]}},
        {"Null": {"s3:x-amz-server-side-encryption": "false"}},
        {"NumericLessThanEqualsIfExists": {"s3:max-keys": "10"}},
        {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
    ],
)
def test_conditions_are_written_as_iam_has_them(
    configuration: Path, bend: Bend, condition: dict[str, Any]
) -> None:
    bounded(bend)
    change(bend, aws={"statements": [{**READ, "condition": condition}]})
    rights = service(configuration).rights("dev")
    assert rights
    assert rights.documents() == [
        {
            "Sid": "Statement1",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::acme/*"],
            "Condition": condition,
        }
    ]
