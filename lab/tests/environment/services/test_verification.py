"""A pipeline verifies what the fast environment runs; a promotion asks for its word."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.ci.builds import Builds
from lab.ci.job import StepError
from lab.tests.environment.conftest import Lab
from lab.tests.environment.services.catalogue import VERIFIED as NAMESPACE
from lab.tests.environment.services.conftest import Extended
from lab.tests.environment.test_releases import history, ship

SERVICE = "reports"
PROMOTE = ("promote-to-prod.sh", "--from-dev", "--service", SERVICE, "--yes")


def build(builds: Builds, subject: str, verification: str) -> None:
    """A build whose pipeline runs this script once dev has it; raises StepError if it fails."""
    folder = builds.folder(SERVICE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verify").write_text(verification)
    (folder / "verify").chmod(0o755)
    builds.build(SERVICE, subject)


def versions(lab: Lab) -> dict[str, str]:
    """The digest of every tag of the service that ECR has and that does not move."""
    images = lab.aws("ecr").describe_images(repositoryName=f"{NAMESPACE}/{SERVICE}")["imageDetails"]
    return {
        tag: image["imageDigest"] for image in images for tag in image["imageTags"] if tag != "dev"
    }


def test_only_a_version_that_its_pipeline_verified_is_promoted(
    more: Extended, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, seen = more.lab, tmp_path / "seen"
    build(more.builds, "good", f"#!/bin/sh\necho $VERSION $DIGEST $ENVIRONMENT > {seen}\n")
    version, digest, environment = seen.read_text().split()
    assert environment == "dev"
    assert versions(lab) == {version: digest, f"verified-{version}": digest}
    ship(lab, clone, *PROMOTE)

    monkeypatch.setitem(more.builds.environment, "VERIFY_PAUSE", "0")
    with pytest.raises(StepError, match="was not verified on dev"):
        build(more.builds, "bad", "#!/bin/sh\nexit 1\n")
    (unverified,) = versions(lab).keys() - {version, f"verified-{version}"}
    refused = lab.script(clone, *PROMOTE)
    assert (refused.returncode, f"{unverified} was not verified on dev" in refused.stderr) == (
        4,
        True,
    ), refused.stderr
    ship(lab, clone, *PROMOTE, "--unverified")
    newest = history(lab, clone, f"{NAMESPACE}/{SERVICE}")[0]
    assert (newest["version"], newest["unverified"]) == (unverified, True)
