"""What a pipeline runs once a build is on dev, and the tag that says it passed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops.tree import shared
from settings.loading import load_files
from tests.scripts.release_repository import CHECKOUT, write_program

VERSION, DIGEST = "v20261101-0123456", "sha256:" + "ab" * 32


@pytest.fixture
def jobs(tmp_path: Path) -> dict[str, Any]:
    """The jobs of tv-api's workflow, whose verification succeeds at the third attempt."""
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        shutil.copy(CHECKOUT / file, tmp_path)
    catalogue = yaml.safe_load((CHECKOUT / "services.yaml").read_text(encoding="utf-8"))
    command = 'echo "$VERSION on $ENVIRONMENT" >>said; [ $(wc -l <said) -ge 3 ]'
    catalogue["namespaces"]["streaming"]["services"]["tv-api"]["verify"] = {"command": command}
    (tmp_path / "services.yaml").write_text(yaml.safe_dump(catalogue), encoding="utf-8")
    text = shared(load_files("dev", tmp_path))[
        "pipelines/tv-api/.github/workflows/release.yml"
    ].text
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def run(step: dict[str, Any], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    filled = {
        name: str(value)
        .replace("${{ needs.release.outputs.version }}", VERSION)
        .replace("${{ needs.release.outputs.digest }}", DIGEST)
        for name, value in step["env"].items()
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={"PATH": f"{folder}:{os.environ['PATH']}", **filled, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_verification_is_tried_until_dev_has_the_version(
    jobs: dict[str, Any], tmp_path: Path
) -> None:
    ran = run(jobs["verify"]["steps"][-1], tmp_path, VERIFY_PAUSE="0")
    assert ran.returncode == 0, ran.stderr
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert said == 3 * f"{VERSION} on dev\n"


def test_a_verification_that_never_succeeds_fails_the_pipeline(
    jobs: dict[str, Any], tmp_path: Path
) -> None:
    ran = run(jobs["verify"]["steps"][-1], tmp_path, VERIFY_PAUSE="0", VERIFY="exit 3")
    assert ran.returncode == 1
    assert f"{VERSION} was not verified on dev" in ran.stderr


@pytest.mark.parametrize(("tagged", "calls"), [("None", 3), (DIGEST, 1)])
def test_what_passed_is_tagged_once(
    jobs: dict[str, Any], tmp_path: Path, tagged: str, calls: int
) -> None:
    answers = f'case "$*" in *imageTag=*) echo {tagged};; *imageManifest*) echo manifest;; esac'
    write_program(tmp_path / "aws", f'echo "$*" >>{tmp_path}/calls\n{answers}')
    ran = run(jobs["vouch"]["steps"][-1], tmp_path)
    assert ran.returncode == 0, ran.stderr
    made = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert len(made) == calls
    put = [call for call in made if call.startswith("ecr put-image ")]
    assert [f"--image-tag verified-{VERSION} " in call for call in put] == [True] * (calls == 3)
    assert all(f"--image-digest {DIGEST}" in call for call in put)
