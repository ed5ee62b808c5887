"""The program as a template: what `pulumi new` makes of it loads, and says what is missing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.daemons import aws
from lab.overrides import merged, overrides
from lab.program import Program
from lab.readiness import http_ok
from lab.site import CHECKOUT, HOST, Site
from lab.toolchain import Toolchain
from lab.waiting import wait_until_empty
from tests.committed import committed
from tests.exported import export


@dataclass(frozen=True)
class Newcomer:
    """A user with an empty folder, Pulumi, and an empty AWS account."""

    folder: Path
    program: Program

    def new(self, stack: str, template: str = "") -> Path:
        """The project that `pulumi new` makes of the folder, or of what is at the URL."""
        project = self.folder / "project"
        # Pulumi is not to ask its cloud for templates, as it does for a URL without TLS.
        options = ("--dir", str(project), "--name", "mine", "--stack", stack, "--yes", "--offline")
        done = self.pulumi("new", template or str(self.folder / "template"), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return project

    def checkout(self) -> None:
        """An empty clone of the GitOps repository, where the stack file expects it."""
        stack = committed("dev")
        folder = self.folder / "gitops"
        for command in (
            ["init", "--quiet", str(folder)],
            ["-C", str(folder), "remote", "add", "origin", stack["platform:gitops"]["url"]],
        ):
            subprocess.run(["git", *command], check=True)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program.pulumi), *arguments],
            env=self.program.environment,
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    """With an archive of the repository as the template, and an AWS of one's own."""
    export(tmp_path / "template.tar")
    with tarfile.open(tmp_path / "template.tar") as archive:
        archive.extractall(tmp_path / "template", filter="data")
    site = Site(tmp_path / "lab", free_port())
    server = subprocess.Popen(
        [sys.executable, "-m", "lab.aws_server"],
        cwd=CHECKOUT,
        env={**os.environ, "LAB_HOME": str(site.home), "LAB_PORT_BASE": str(site.port_base)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = http_ok(f"{site.url('aws')}{aws.READY}")
        wait_until_empty("the AWS of the lab", lambda: ready() or "", seconds=60)
        yield Newcomer(tmp_path, Program(site, Toolchain()))
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_new_project_keeps_the_configuration_and_is_no_template_itself(
    newcomer: Newcomer,
) -> None:
    project = newcomer.new("dev")
    described = yaml.safe_load((project / "Pulumi.yaml").read_text())
    assert described["name"] == "mine"
    assert "template" not in described
    copied = yaml.safe_load((project / "Pulumi.dev.yaml").read_text())["config"]
    assert copied == committed("dev")


def test_an_archive_that_is_downloaded_makes_the_same_project(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    export(site / "main.zip", prefix="two-speed-gitops-main/")
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        project = newcomer.new("dev", f"http://{HOST}:{server.server_port}/main.zip")
        server.shutdown()
    assert files(project) == files(tmp_path / "template")


def files(folder: Path) -> set[str]:
    """What is in the folder, but for what Pulumi and Python make."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in paths if path.parts[0] != ".venv" and path.suffix != ".pyc"}


def test_a_new_project_previews_a_whole_environment(newcomer: Newcomer) -> None:
    project = newcomer.new("dev")
    newcomer.checkout()
    stack_file = project / "Pulumi.dev.yaml"
    content: dict[str, Any] = yaml.safe_load(stack_file.read_text())
    endpoints = {"aws:endpoints": overrides(newcomer.program.site)["aws:endpoints"]}
    content["config"] = merged(content["config"], endpoints)
    stack_file.write_text(yaml.safe_dump(content))
    done = newcomer.pulumi("preview", "--cwd", str(project), "--stack", "dev", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    planned = json.loads(done.stdout)
    assert planned["changeSummary"].keys() == {"create"}
    assert {"cluster", "argocd-release", "apps-tv-api", "gitops-checkout"} <= {
        step["urn"].rpartition("::")[2] for step in planned["steps"]
    }


def test_a_new_stack_without_settings_says_everything_that_it_lacks(newcomer: Newcomer) -> None:
    project = newcomer.new("staging")
    done = newcomer.pulumi("preview", "--cwd", str(project), "--non-interactive")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    for key in ("speed", "organization", "domain", "network", "cluster", "gitops"):
        assert f"Pulumi.staging.yaml: platform:{key}: is missing" in said
    assert "Pulumi.staging.yaml: aws:allowedAccountIds: is missing" in said
    assert "Traceback" not in said
