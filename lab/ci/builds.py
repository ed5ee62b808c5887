"""The repositories of the services, and builds of their commits."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import images
from lab.ci import circleci
from lab.ci.github_actions import Workflow
from lab.gitops_checkout import git
from lab.pulumi_hosts import write_launcher
from lab.site import CHECKOUT, Site
from settings.catalogue import BuiltService
from settings.environment import Settings
from settings.loading import load_files
from settings.problems import UserError

DEVELOPER = ("Devon Developer", "devon@acme.example")
SOURCE = {
    "Makefile": "test:\n\t@test -s main.txt\n",
    "Dockerfile": "FROM scratch\nCOPY main.txt /\n",
    "main.txt": "the first line\n",
}


class UnknownServiceError(UserError):
    """The catalogue has no such service."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"services.yaml has no service {name}; there are {', '.join(known)}")


class Builds:
    """Builds the services of one lab."""

    def __init__(
        self, site: Site, environment: Mapping[str, str], program: Path = CHECKOUT
    ) -> None:
        """`environment`: variables with the lab's tools on PATH; `program`: has the catalogue."""
        self.site = site
        self.settings: Settings = load_files(site.environments[0], program)
        self.environment = {
            **{name: value for name, value in environment.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": site.url("aws"),
            # Version 1 of the AWS CLI, which the lab has, reads only the older name of the region.
            "AWS_DEFAULT_REGION": self.settings.registry_owner.region,
            "PATH": os.pathsep.join([str(self._engine()), environment["PATH"]]),
        }

    def services(self) -> dict[str, BuiltService]:
        """Every service of the catalogue, by name."""
        return {name: service for _, name, service in self.settings.catalogue.built()}

    def missing(self) -> list[str]:
        """The services of which the registry has no build."""
        return [
            name
            for namespace, name, _ in self.settings.catalogue.built()
            if not images.tags(self.site.registry_host, f"{namespace}/{name}")
        ]

    def build_all(self, names: list[str]) -> None:
        """Build several services at the same time; raises the first failure."""
        with ThreadPoolExecutor(max_workers=4) as pool:
            for _ in pool.map(lambda name: self.build(name, f"{name}: first version"), names):
                pass

    def build(self, name: str, subject: str) -> str:
        """Commits a change to the service's repository and runs its pipeline for it.

        Returns what the pipeline printed. Raises UnknownServiceError, StepError,
        UnknownStepError or NotTrustedError.
        """
        return self.pipeline(name, self.commit(name, subject))

    def commit(self, name: str, subject: str) -> str:
        """Commits a change to the service's repository, and leaves the pipeline for later.

        Returns the commit. Raises UnknownServiceError.
        """
        if name not in self.services():
            raise UnknownServiceError(name, sorted(self.services()))
        source = self._source(name)
        with (self.folder(name) / "main.txt").open("a") as content:
            content.write(f"{subject}\n")
        git(source, "add", "--all")
        git(source, "commit", "--quiet", "--message", subject)
        return git(source, "rev-parse", "HEAD").strip()

    def pipeline(self, name: str, commit: str) -> str:
        """Run the service's pipeline for a commit, which need not be the newest."""
        service, source = self.services()[name], self.source(name)
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
            temporary = Path(folder)
            clone = temporary / "clone"
            git(temporary, "clone", "--quiet", str(source), str(clone))
            git(clone, "checkout", "--quiet", "-B", service.branch, commit)
            if service.ci == "circleci":
                organization = self.settings.catalogue.circleci
                printed = circleci.run(
                    clone / ".circleci" / "config.yml",
                    site=self.site,
                    service=service,
                    organization=str(organization.organization) if organization else "",
                    clone=clone,
                    environment=self.environment,
                    temporary=temporary,
                )
            else:
                workflow = Workflow(self.site, service, clone, self.environment)
                # Named after the service where its repository has several.
                (file,) = (clone / ".github" / "workflows").glob("release*.yml")
                printed = workflow.run(file, temporary)
        return "\n".join(printed)

    def source(self, name: str) -> Path:
        """Where the service's repository is."""
        return self.site.home / "sources" / name

    def folder(self, name: str) -> Path:
        """The folder in it from which the service's image is built."""
        return self.source(name) / (self.services()[name].build.path or ".")

    def _source(self, name: str) -> Path:
        """The service's repository with its current pipeline. The first build creates it."""
        folder = self.source(name)
        if not (folder / ".git").exists():
            folder.mkdir(parents=True, exist_ok=True)
            git(folder, "init", "--quiet", f"--initial-branch={self.services()[name].branch}")
            git(folder, "config", "user.name", DEVELOPER[0])
            git(folder, "config", "user.email", DEVELOPER[1])
            self.folder(name).mkdir(parents=True, exist_ok=True)
            for file, text in SOURCE.items():
                (self.folder(name) / file).write_text(text)
        shutil.copytree(self.site.gitops_checkout / "pipelines" / name, folder, dirs_exist_ok=True)
        return folder

    def _engine(self) -> Path:
        """A folder whose `docker` is the one of `lab.ci.docker`."""
        folder = self.site.home / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        python, checkout = shlex.quote(sys.executable), shlex.quote(str(CHECKOUT))
        command = f'env PYTHONPATH={checkout} {python} -m lab.ci.docker "$@"'
        write_launcher(folder / "docker", command)
        return folder
