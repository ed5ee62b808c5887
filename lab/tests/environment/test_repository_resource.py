"""The GitOps repository through the real Pulumi CLI: what a preview says, and what `up` leaves.

Only the `Repository` component runs, on a file backend; needs no running lab.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.pulumi_home import assemble
from lab.toolchain import MissingToolError, Toolchain
from settings.files import ROOT

URL = "https://github.com/acme/gitops.git"
PROGRAM = """\
from components import wiring
from components.gitops_checkout.gitops_checkout import GitOpsCheckout
from settings.pulumi_config import load_stack

GitOpsCheckout("gitops", wiring.gitops_checkout(load_stack()))
"""
TV_API = "environments/dev/streaming/tv-api/deployment.yaml"


class Engine:
    """A program of one component, its checkout, and the Pulumi CLI."""

    def __init__(self, folder: Path) -> None:
        self.program, self.checkout = folder / "program", folder / "gitops"
        home = folder / "home"
        self.pulumi = assemble(home, Toolchain()) / "pulumi"
        (home / "state").mkdir()
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(
                [str(self.pulumi.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "PULUMI_HOME": str(home),
            # Without files of metadata, which are incomplete for a moment while they are written.
            "PULUMI_BACKEND_URL": f"file://{home / 'state'}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        for package in ("components", "gitops", "release", "settings"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, self.program / package, ignore=ignored)
        for file in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "services.yaml"):
            shutil.copy(ROOT / file, self.program)
        (self.program / "__main__.py").write_text(PROGRAM)
        for stack in ("dev", "prod"):
            self.run("stack", "init", stack=stack)

    def clone(self, url: str = URL) -> None:
        """What the engineer has: a checkout with a remote, here an empty one."""
        self.checkout.mkdir()
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", url)

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.checkout), *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def run(self, *arguments: str, stack: str = "dev") -> subprocess.CompletedProcess[str]:
        command = [str(self.pulumi), *arguments, "--stack", stack, "--non-interactive"]
        return subprocess.run(
            command,
            cwd=self.program,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )

    def preview(self, *options: str, stack: str = "dev") -> str:
        """What a preview prints, which must succeed."""
        done = self.run("preview", *options, stack=stack)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, stack: str = "dev") -> str:
        done = self.run("up", "--yes", "--skip-preview", stack=stack)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def changes(self, stack: str = "dev") -> dict[str, Any]:
        """How many resources a preview would touch, by operation."""
        summary = json.loads(self.preview("--json", stack=stack))["changeSummary"]
        return {operation: count for operation, count in summary.items() if operation != "same"}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    try:
        return Engine(tmp_path)
    except MissingToolError as error:
        pytest.skip(str(error))


def test_without_a_checkout_a_preview_says_how_to_clone_it_and_with_one_both_stacks_write_once(
    engine: Engine,
) -> None:
    done = engine.run("preview")
    assert done.returncode != 0
    assert f"git clone {URL} ../gitops" in done.stdout
    engine.clone()
    engine.up("dev")
    engine.up("prod")
    for stack in ("dev", "prod"):
        assert engine.changes(stack) == {}
    folders = {path.name for path in (engine.checkout / "environments").iterdir()}
    assert folders == {"dev", "prod"}


def test_an_edit_is_kept_and_said_a_deletion_is_respected_and_the_rest_is_done(
    engine: Engine,
) -> None:
    engine.clone()
    engine.up()
    mine = (engine.checkout / TV_API).read_text().replace("replicas: 1", "replicas: 4")
    (engine.checkout / TV_API).write_text(mine)
    (engine.checkout / "base/streaming/tv-api/service.yaml").unlink()
    (engine.checkout / "base/streaming/tv-api/job.yaml").write_text("kind: Job\n")
    catalogue = engine.program / "services.yaml"
    catalogue.write_text(catalogue.read_text().replace("port: 3000", "port: 3001"))

    said = engine.preview()
    for line in (
        "~ base/streaming/tv-frontend/deployment.yaml",
        f"= {TV_API}: edited; kept, it is the team's own",
        "= base/streaming/tv-api/service.yaml: deleted by the team; stays deleted",
    ):
        assert f"../gitops: {line}\n" in said
    assert "job.yaml" not in said

    assert f"= {TV_API}: edited" in engine.up()
    assert (engine.checkout / TV_API).read_text() == mine
    assert not (engine.checkout / "base/streaming/tv-api/service.yaml").exists()
    assert (engine.checkout / "base/streaming/tv-api/job.yaml").read_text() == "kind: Job\n"
    frontend = engine.checkout / "base/streaming/tv-frontend/deployment.yaml"
    assert "containerPort: 3001" in frontend.read_text()
    assert engine.changes() == {}


def test_a_detailed_preview_shows_the_changed_keys_and_destroy_keeps_every_file(
    engine: Engine,
) -> None:
    engine.clone()
    engine.up()
    catalogue = engine.program / "services.yaml"
    catalogue.write_text(catalogue.read_text().replace("port: 3000", "port: 3001"))
    shown = engine.preview("--diff")
    assert "~ base/streaming/tv-frontend/deployment.yaml: (yaml) {" in shown
    assert "~ containerPort: 3000 => 3001" in shown
    assert "tournaments" not in shown

    done = engine.run("destroy", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout
    assert "every file stays" in done.stdout
    assert (engine.checkout / TV_API).exists()
