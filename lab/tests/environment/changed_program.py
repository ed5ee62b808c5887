"""A copy of the program with other files: another catalogue, other stack files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.gitops_checkout import commit_and_push, pull
from lab.overrides import overrides
from lab.site import CHECKOUT, Site
from lab.tests.environment.conftest import Lab

Content = dict[str, Any]
STACKS = ("dev", "prod")
PROGRAM = ("__main__.py", "Pulumi.yaml", "components", "gitops", "release", "settings")


def copied(site: Site, folder: Path) -> Path:
    """The program in a new folder, for the checkout that the lab's own writes into."""
    folder.mkdir()
    for name in PROGRAM:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder)
    checkout = folder / overrides(site)["platform:gitops"]["checkout"]
    checkout.parent.mkdir(parents=True, exist_ok=True)
    checkout.symlink_to(site.gitops_checkout)
    return folder


def read(file: Path) -> Content:
    content: Content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def write(file: Path, content: Content) -> Path:
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What is added to the committed files while a test runs.

    Attributes:
        teams: of the catalogue.
        namespaces: of the catalogue.
        clusters: keys of `platform:cluster`, by stack.
        stack: other keys of both stack files.
    """

    teams: Content
    namespaces: Content
    clusters: Content = field(default_factory=dict)
    stack: Content = field(default_factory=dict)

    def config(self, stack: str) -> Content:
        """The keys of a stack file that differ; what was added can be deleted again."""
        committed = read(CHECKOUT / f"Pulumi.{stack}.yaml")["config"]
        return {
            "platform:cluster": {**committed["platform:cluster"], **self.clusters.get(stack, {})},
            "platform:unprotected": ["applications", "registry"],
            **self.stack,
        }


@contextmanager
def extended(lab: Lab, folder: Path, addition: Addition) -> Iterator[Path]:
    """Both environments with more in the catalogue. It is taken away afterwards, which takes two
    minutes; a lab that ends with the tests keeps it.

    Yields the folder of the changed program.
    """
    copied(lab.site, folder)
    _write_files(folder, addition)
    try:
        for stack in STACKS:
            lab.program.trying[stack] = addition.config(stack)
            _up(lab, stack, folder)
        yield folder
    finally:
        for stack in STACKS:
            lab.program.trying.pop(stack, None)
        if lab.temporary:
            lab.condition = "extended"
        else:
            _take_away(lab, addition)


def _write_files(folder: Path, addition: Addition) -> None:
    catalogue = read(CHECKOUT / "services.yaml")
    catalogue["teams"] |= addition.teams
    catalogue["namespaces"] |= addition.namespaces
    write(folder / "services.yaml", catalogue)
    for stack in STACKS:
        file = read(CHECKOUT / f"Pulumi.{stack}.yaml")
        file["config"] |= addition.config(stack)
        write(folder / f"Pulumi.{stack}.yaml", file)


def _up(lab: Lab, stack: str, folder: Path) -> None:
    pull(lab.site.gitops_checkout)
    lab.program.selected(stack)
    lab.program.read("up", "--yes", "--skip-preview", stack=stack, folder=folder)
    commit_and_push(lab.site.gitops_checkout, f"Scaffold of {stack}, as pulumi up wrote it")


def _take_away(lab: Lab, addition: Addition) -> None:
    for stack in STACKS:
        _up(lab, stack, CHECKOUT)
    _delete_what_outlives_a_removal(lab, addition)


def _delete_what_outlives_a_removal(lab: Lab, addition: Addition) -> None:
    """Images, releases and what a safe environment runs stay until a person deletes them."""
    checkout, ecr = lab.site.gitops_checkout, lab.aws("ecr")
    pull(checkout)
    for namespace in addition.namespaces:
        for repository in ecr.describe_repositories()["repositories"]:
            if repository["repositoryName"].startswith(f"{namespace}/"):
                ecr.delete_repository(repositoryName=repository["repositoryName"], force=True)
        for folder in checkout.glob(f"*/*/{namespace}"):
            shutil.rmtree(folder)
        shutil.rmtree(checkout / "base" / namespace, ignore_errors=True)
    commit_and_push(checkout, "Delete what was released")
