"""What the committed stacks leave out, switched on together: findings that are refused, alarms."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
import yaml

from lab.site import CHECKOUT
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_releases import (
    TV_API,
    Build,
    build,
    history,
    live,
    ship,
    tip,
    wait_until_live,
)
from lab.up import approve, up_and_push

PROMOTE = ("promote-to-prod.sh", "--from-dev", "--service", "tv-api", "--yes")
UNVERIFIED = 4


@pytest.fixture(scope="module")
def switched_on(lab: Lab) -> Iterator[Lab]:
    """prod refuses images with a critical finding, and is seen; afterwards it is as committed."""
    committed = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())["config"]
    lab.program.trying["prod"] = {
        "platform:registry": {**committed["platform:registry"], "refuse": "critical"},
        "platform:observability": {},
    }
    try:
        up_and_push(lab.site, lab.program, "prod")
        yield lab
    finally:
        del lab.program.trying["prod"]
        up_and_push(lab.site, lab.program, "prod")


# --- what a scan found


@pytest.fixture
def clone(switched_on: Lab, tmp_path: Path) -> Path:
    """A releaser's clone of the GitOps repository."""
    return switched_on.clone(tmp_path / "gitops")


def built_for_dev(lab: Lab, subject: str) -> Build:
    built = build(lab, TV_API, subject)
    wait_until_live(lab, "dev", TV_API, built)
    return built


def scan(lab: Lab, built: Build, **counts: int) -> None:
    """ECR scans the image and finds this; moto takes what it is to find by a call of its own."""
    ecr, image = lab.aws("ecr"), {"imageDigest": built.digest}
    owner = lab.builds.settings.registry_owner
    result = {
        "repositoryName": TV_API,
        "imageId": image,
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"findings": [], "findingSeverityCounts": counts},
    }
    told = requests.post(
        f"{lab.site.url('aws')}/moto-api/static/ecr/scan-finding-results",
        json={"account_id": owner.account, "region": owner.region, "results": [result]},
        timeout=30,
    )
    assert told.status_code == HTTPStatus.CREATED
    ecr.start_image_scan(repositoryName=TV_API, imageId=image)


def require_refused(lab: Lab, clone: Path, said: str) -> None:
    before = tip(lab)
    refused = lab.script(clone, *PROMOTE)
    assert (refused.returncode, said in refused.stderr) == (UNVERIFIED, True), refused.stderr
    assert tip(lab) == before


def test_a_critical_finding_is_refused_unless_a_reason_is_recorded(
    switched_on: Lab, clone: Path
) -> None:
    lab = switched_on
    bad = built_for_dev(lab, "Add a library")
    require_refused(lab, clone, "streaming/tv-api: its scan cannot be read: ")
    scan(lab, bad, CRITICAL=2, HIGH=1)
    require_refused(
        lab,
        clone,
        f"streaming/tv-api: the scan of {bad.digest[:19]}… found 2 critical; build a version "
        "without them, or add --accept-findings REASON, which is recorded",
    )
    ship(lab, clone, *PROMOTE, "--accept-findings", "the library is not reachable")
    accepted = history(lab, clone, TV_API)[0]
    assert (accepted["version"], accepted["acceptedFindings"]) == (
        bad.version,
        "the library is not reachable",
    )
    assert "findings accepted" in ship(lab, clone, "history.sh", "--service", "tv-api")

    good = built_for_dev(lab, "Raise the library")
    scan(lab, good, HIGH=1)
    ship(lab, clone, *PROMOTE)
    promoted = history(lab, clone, TV_API)[0]
    assert (promoted["version"], "acceptedFindings" in promoted) == (good.version, False)
    approve(lab.site, "prod", "tv-api")
    assert live(lab, "prod", TV_API) == good.image


# --- what is seen, and what warns


TOPIC = "arn:aws:sns:eu-central-1:210987654321:acme-prod-alarms"


def test_every_alarm_is_there_and_tells_the_topic(switched_on: Lab) -> None:
    assert [one["TopicArn"] for one in switched_on.aws("sns", "prod").list_topics()["Topics"]] == [
        TOPIC
    ]
    alarms = switched_on.aws("cloudwatch", "prod").describe_alarms()["MetricAlarms"]
    assert {one["AlarmName"]: one["TreatMissingData"] for one in alarms} == {
        "acme-prod-application-degraded": "notBreaching",
        "acme-prod-argocd-not-reconciling": "breaching",
        "acme-prod-certificate-expires": "notBreaching",
        "acme-prod-nodes-not-ready": "breaching",
        "acme-prod-support-ends": "notBreaching",
    }
    for one in alarms:
        assert one["AlarmActions"] == one["OKActions"] == [TOPIC]


def test_the_add_on_has_an_identity_that_may_write_to_cloudwatch(switched_on: Lab) -> None:
    eks, within = switched_on.aws("eks", "prod"), {"clusterName": "acme-prod"}
    addon = eks.describe_addon(**within, addonName="amazon-cloudwatch-observability")["addon"]
    assert addon["status"] == "ACTIVE"
    (one,) = eks.list_pod_identity_associations(**within, namespace="amazon-cloudwatch")[
        "associations"
    ]
    identity = eks.describe_pod_identity_association(**within, associationId=one["associationId"])
    role = "acme-prod-observability"
    assert (identity["association"]["serviceAccount"], identity["association"]["roleArn"]) == (
        "cloudwatch-agent",
        f"arn:aws:iam::210987654321:role/{role}",
    )
    attached = switched_on.aws("iam", "prod").list_attached_role_policies(RoleName=role)
    assert [policy["PolicyName"] for policy in attached["AttachedPolicies"]] == [
        "CloudWatchAgentServerPolicy"
    ]


def test_the_next_preview_changes_nothing(switched_on: Lab) -> None:
    assert switched_on.program.changes("prod") == {}
