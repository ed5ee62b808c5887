"""A promotion asks ECR's scan what it found in the image, and refuses what the stack refuses."""

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


@pytest.fixture
def refusing(lab: Lab) -> Iterator[None]:
    """prod refuses images with a critical finding; afterwards it is as committed."""
    committed = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())["config"]
    registry = {**committed["platform:registry"], "refuse": "critical"}
    lab.program.trying["prod"] = {"platform:registry": registry}
    try:
        up_and_push(lab.site, lab.program, "prod")
        yield
    finally:
        del lab.program.trying["prod"]
        up_and_push(lab.site, lab.program, "prod")


@pytest.fixture
def clone(lab: Lab, refusing: None, tmp_path: Path) -> Path:
    """A releaser's clone of the GitOps repository, with the scripts of a prod that refuses."""
    return lab.clone(tmp_path / "gitops")


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


def test_a_critical_finding_is_refused_unless_a_reason_is_recorded(lab: Lab, clone: Path) -> None:
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
