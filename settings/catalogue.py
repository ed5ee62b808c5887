"""`services.yaml`: who owns what, where it is built, and how it reaches an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, Tag, model_validator

from settings.health import Command
from settings.images import HelperImages, ImageName, ImageTag
from settings.kinds import AddedKind
from settings.machines import Platform
from settings.model import (
    Branch,
    Digest,
    DnsLabel,
    GitTeam,
    HasKey,
    Matching,
    Model,
    ShortFor,
    different,
    tag,
)
from settings.packages import Package
from settings.quantities import Cpu, Size
from settings.rights import Rights
from settings.secrets import Secrets, Variable
from settings.workload import EnvName, FurtherProcess, Migrate, Process, ServiceOverride, Volume

SourceRepository = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_-]{1,39}/[A-Za-z0-9_.-]{1,100}",
        "must be a GitHub repository written as owner/name, as GitHub allows it",
    ),
]
Group = Annotated[
    str,
    Matching(r"[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?", "must be a group's name on one line"),
]
FileName = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}",
        "must be a plain file name: letters without accents, digits, dots, hyphens and "
        "underscores, 253 at most",
    ),
]
RepositoryPath = Annotated[
    str,
    Matching(
        r"(?!.*(^|/)\.\.?(/|$))[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*",
        "must be a path inside the repository such as services/web",
    ),
]
StageName = Annotated[
    str, Matching(r"[A-Za-z][A-Za-z0-9_.-]*", "must be the name of a stage of the Dockerfile")
]
OneLine = Annotated[
    str,
    Matching(
        # What GitHub and CircleCI would fill in before the shell sees it.
        r"(?!.*(\$\{\{|<<))[^\x00-\x1f]*",
        "must be text on one line, without ${{ and <<, which CI systems fill in",
    ),
]
WorkflowFile = Annotated[
    str, Matching(r"[\w][\w.-]*\.ya?ml", "must be the name of a file in .github/workflows")
]
Delivery = Literal["keel", "commit"]
Packaging = Literal["kustomize", "helm"]
Ci = Literal["circleci", "github-actions"]


HOTFIXES = "hotfix/"
"""How the branches begin from which a version comes that does not reach the fast environment."""
MAIN = ""
"""The name of a service's own process among its processes."""


class Team(Model):
    """A team that owns services."""

    group: Group = Field(description="the team's group, as the SSO provider names it")
    github: GitTeam | None = Field(
        None, description="the team on the Git host, as organization/team, for CODEOWNERS"
    )


class GithubIds(Model):
    """The numeric ids that GitHub puts into the OIDC subject of newer repositories."""

    owner: int = Field(ge=1, description="the id of the user or organization")
    repository: int = Field(ge=1, description="the id of the repository")


class Verify(Model):
    """What a version has to pass on the fast environment before it is promoted."""

    command: str | None = Field(
        None,
        min_length=1,
        description="a shell command of the service's repository, repeated for up to 15 minutes "
        "until it succeeds; it has VERSION, DIGEST and ENVIRONMENT",
    )
    job: WorkflowFile | None = Field(
        None,
        description="in place of command: a reusable workflow in .github/workflows, called with "
        "the inputs version, digest and environment; it must itself wait for the version",
    )

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.command is None) == (self.job is None):
            raise ValueError("must have either command (in a shell) or job (a workflow)")
        return self


class Build(Model):
    """How the pipeline builds the image, if `docker build .` is not enough."""

    path: RepositoryPath | None = Field(
        None,
        description="the folder of the service, in a repository of several; only pushes that "
        "change it are built",
    )
    watch: Annotated[list[RepositoryPath], different] = Field(
        default=[], description="other folders or files whose changes build it too"
    )
    dockerfile: RepositoryPath | None = Field(None, description="the Dockerfile, in that folder")
    target: StageName | None = Field(
        None, description="the stage that is built; the last unless set"
    )
    args: dict[EnvName, OneLine] = Field(
        default={}, description="build arguments; everybody who has the image can read them"
    )
    secrets: Annotated[list[EnvName], different] = Field(
        default=[],
        description="names of secrets of the CI system, for RUN --mount=type=secret,id=<name>",
    )
    platforms: Annotated[list[Platform], Field(min_length=1), different] | None = Field(
        None,
        description="the processors that the image runs on; that of the node groups unless set. "
        "One is built on a machine of its own kind, of several the others are emulated",
    )
    cache: bool = Field(
        False,
        description="layers of one build serve the next: they are kept in the image repository "
        "under the tag build-cache",
    )


class Source(Model):
    """Where an image is built, and how it gets to an environment."""

    source: SourceRepository = Field(description="the service's own repository on GitHub")
    branch: Branch = Field("main", description="the branch that is built")
    ci: Ci = Field(description="where it is built")
    delivery: Delivery = Field(
        description="keel: Keel rolls each build at once; commit: CI commits each version"
    )
    build: Build = Field(
        Build.model_validate({}),
        description="how the image is built; by the Dockerfile at the top unless set",
    )
    hotfix: bool = Field(
        False,
        description="its pipeline also builds branches called hotfix/…, which then may push its "
        "images; such a version is promoted with --hotfix and does not touch the fast environment",
    )
    verify: Verify | None = Field(
        None,
        description="a check that the pipeline runs when the fast environment has the build; a "
        "version that passes is tagged verified-<version>, which a promotion requires",
    )
    circleci_project: UUID | None = Field(None, description="the CircleCI project's id")
    github_ids: GithubIds | None = Field(
        None, description="needed where GitHub puts ids into its OIDC subject"
    )


class Image(Model):
    """One version of an image that others build."""

    name: ImageName = Field(description="with its registry, such as docker.io/library/redis")
    version: ImageTag = Field(description="the tag, for readers")
    digest: Digest = Field(description="what runs, even if the tag moves")


class Service(Process):
    """One deployable and its place in the clusters."""

    owner: str = Field(description="a key of `teams`")
    packaging: Packaging = Field(
        "kustomize", description="base and overlays, or a chart with values per environment"
    )
    ingress: bool = Field(False, description="reachable as <service>.<domain of the environment>")
    env: dict[EnvName, str] = Field(default={}, description="variables of every environment")
    config: dict[FileName, str] = Field(
        default={}, description="files mounted read-only at /etc/<service>"
    )
    secrets: Annotated[Secrets, ShortFor("env", list[Variable])] = Field(
        Secrets.model_validate({}),
        description="names of secrets, whose values people put into AWS Secrets Manager; a list "
        "is of environment variables",
    )
    aws: Rights | None = Field(
        None, description="what its pods may do in AWS, in each environment that has it"
    )
    processes: dict[DnsLabel, FurtherProcess] = Field(
        default={}, description="further processes of the same image, each named <service>-<name>"
    )
    migrate: Annotated[Migrate, ShortFor("command", Command)] | None = Field(
        None,
        description="a command of each new image that must succeed once before its pods serve",
    )
    storage: dict[DnsLabel, Volume] = Field(
        default={},
        description="volumes by name: makes the service a StatefulSet, with one pod unless "
        "replicas is set; each pod has its own volumes",
    )
    environments: Annotated[list[DnsLabel], Field(min_length=1), different] | None = Field(
        None, description="the stacks that have it; all unless set"
    )
    overrides: dict[DnsLabel, ServiceOverride] = Field(
        default={}, description="differences, by stack"
    )

    @property
    def all_processes(self) -> Mapping[str, Process]:
        """The service's own process (MAIN) and the further ones, sorted by name."""
        return {MAIN: self, **dict(sorted(self.processes.items()))}

    def lives_in(self, environment: str) -> bool:
        return self.environments is None or environment in self.environments

    def rights(self, environment: str) -> Rights | None:
        """What its pods may do in AWS, in that environment."""
        override = self.overrides.get(environment)
        return (override and override.aws) or self.aws

    def has_private(self, environment: str) -> bool:
        """Whether it has something that no other may take: secrets, or rights in AWS."""
        return bool(self.secrets) or self.rights(environment) is not None


class BuiltService(Service, Source):
    """A service that its own pipeline builds."""


class ForeignService(Service):
    """A service whose image others build: no pipeline, no ECR repository."""

    image: Image = Field(description="what the fast environment runs; promoted like other versions")


AnyService = Annotated[
    Annotated[BuiltService, Tag(tag(BuiltService))]
    | Annotated[ForeignService, Tag(tag(ForeignService))],
    HasKey("image", ForeignService, BuiltService),
]


Owned = BuiltService | ForeignService | Package
"""Whatever a team owns."""


class NamespaceQuota(Model):
    """What all pods of a namespace may have together in one environment."""

    cpu: Cpu | None = Field(None, description="requested, such as 16")
    memory: Size | None = Field(None, description="requested, such as 32Gi")
    memory_limit: Size | None = Field(None, description="the sum of the limits")
    storage: Size | None = Field(None, description="of volumes, requested")
    pods: Annotated[int, Field(ge=1)] | None = Field(None, description="how many")


class Namespace(Model):
    """A Kubernetes namespace, its services and packages."""

    services: dict[DnsLabel, AnyService] = Field(
        default={}, description="names are unique in the whole file"
    )
    packages: dict[DnsLabel, Package] = Field(
        default={}, description="charts that others make; names are unique among services too"
    )
    kinds: Annotated[list[AddedKind], different] = Field(
        default=[],
        description="kinds that Git may declare here beside those of every namespace, such as "
        "gateway.networking.k8s.io/HTTPRoute",
    )
    quota: dict[DnsLabel, NamespaceQuota] = Field(
        default={}, description="by stack, in place of what its speed says"
    )
    callers: Annotated[list[DnsLabel], different] = Field(
        default=[],
        description="other namespaces whose pods may call those here, such as that of Prometheus",
    )
    images: Annotated[list[ImageName], different] = Field(
        default=[],
        description="repositories whose images may run here beside those of the platform's "
        "registry and of its services",
    )

    @model_validator(mode="after")
    def has_something(self) -> Self:
        if not self.services and not self.packages:
            raise ValueError("has neither services nor packages; add one, or remove the namespace")
        return self

    @property
    def owned(self) -> Mapping[str, Owned]:
        """Services and packages by name, sorted."""
        return dict(sorted([*self.packages.items(), *self.services.items()]))

    def of(self, environment: str) -> Namespace:
        """The same with what lives in `environment` alone, which may be nothing."""
        living = {
            "services": {n: s for n, s in self.services.items() if s.lives_in(environment)},
            "packages": {n: p for n, p in self.packages.items() if p.lives_in(environment)},
        }
        return self.model_copy(update=living)


class CircleCi(Model):
    """The CircleCI organization whose OIDC tokens are trusted."""

    organization: UUID = Field(description="its id")


class Catalogue(Model):
    """The teams, namespaces and services of every environment."""

    teams: dict[DnsLabel, Team] = Field(min_length=1, description="who owns services")
    releasers: Group = Field(description="the SSO group whose members approve syncs of safe stacks")
    code_owners: GitTeam | None = Field(
        None,
        description="the releasers' team on the Git host, as organization/team: creates "
        "CODEOWNERS, so that they review changes of safe environments",
    )
    circleci: CircleCi | None = Field(None, description="needed where a service has ci: circleci")
    helper_images: HelperImages = Field(
        HelperImages.model_validate({}),
        description="what the platform runs beside services that migrate or have secrets",
    )
    namespaces: dict[DnsLabel, Namespace] = Field(
        min_length=1, description="each is a namespace in every cluster"
    )

    def entries(self) -> Iterator[tuple[str, str, Service]]:
        """Every service as (namespace, name, service), sorted by both names."""
        for namespace, group in sorted(self.namespaces.items()):
            for name, service in sorted(group.services.items()):
                yield namespace, name, service

    def packages(self) -> Iterator[tuple[str, str, Package]]:
        """Every package as (namespace, name, package), sorted by both names."""
        for namespace, group in sorted(self.namespaces.items()):
            for name, package in sorted(group.packages.items()):
                yield namespace, name, package

    def owned(self) -> Iterator[tuple[str, str, Owned]]:
        """Services and packages: whatever a team owns, sorted by both names."""
        for namespace, group in sorted(self.namespaces.items()):
            for name, what in group.owned.items():
                yield namespace, name, what

    def built(self) -> Iterator[tuple[str, str, BuiltService]]:
        """Those that a pipeline of their own builds."""
        for namespace, name, service in self.entries():
            if isinstance(service, BuiltService):
                yield namespace, name, service

    def secretive(self) -> Iterator[tuple[str, str, Service]]:
        """Those that have secrets."""
        for namespace, name, service in self.entries():
            if service.secrets:
                yield namespace, name, service

    def delivered_by(self, delivery: Delivery) -> Iterator[tuple[str, str, BuiltService]]:
        """Those whose builds come to the fast environment in that way."""
        for namespace, name, service in self.built():
            if service.delivery == delivery:
                yield namespace, name, service

    def of(self, environment: str) -> Catalogue:
        """The same with only the services and packages of `environment`."""
        living = {name: group.of(environment) for name, group in self.namespaces.items()}
        return self.model_copy(update={"namespaces": living})
