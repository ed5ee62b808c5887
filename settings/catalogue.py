"""`services.yaml`: who owns what, where it is built, and how it reaches an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, Tag, model_validator

from settings.health import Command
from settings.kinds import AddedKind
from settings.model import (
    Branch,
    DnsLabel,
    GitTeam,
    HasKey,
    Matching,
    Model,
    ShortFor,
    different,
    tag,
)
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
ImageName = Annotated[
    str,
    Matching(
        r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+",
        "must be an image with its registry and without a tag, such as docker.io/library/redis",
    ),
]
ImageTag = Annotated[
    str, Matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "must be an image's tag, in quotes")
]
Digest = Annotated[
    str, Matching(r"sha256:[0-9a-f]{64}", "must be a digest: sha256: and 64 hexadecimal digits")
]
Delivery = Literal["keel", "commit"]
Packaging = Literal["kustomize", "helm"]
Ci = Literal["circleci", "github-actions"]


MAIN = ""
"""The name of a service's own process among its processes."""


class Team(Model):
    """People who own services."""

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
        description="a shell command of the service's repository, tried again until it succeeds or "
        "15 minutes are over; it finds VERSION, DIGEST and ENVIRONMENT",
    )
    job: WorkflowFile | None = Field(
        None,
        description="in place of command: a reusable workflow in .github/workflows, called with "
        "the inputs version, digest and environment; it waits by itself",
    )

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.command is None) == (self.job is None):
            raise ValueError("must have either command (in a shell) or job (a workflow)")
        return self


class Build(Model):
    """How the image is made of the source repository, where that is more than `docker build .`."""

    path: RepositoryPath | None = Field(
        None,
        description="the folder that is built and tested, in a repository of several services; "
        "with GitHub Actions only pushes that change it are built",
    )
    watch: Annotated[list[RepositoryPath], different] = Field(
        default=[], description="further folders or files of which a change builds it too"
    )
    dockerfile: RepositoryPath | None = Field(
        None, description="in that folder; Dockerfile unless set"
    )
    target: StageName | None = Field(
        None, description="the stage that is built; the last unless set"
    )
    args: dict[EnvName, OneLine] = Field(
        default={}, description="build arguments; everybody who has the image can read them"
    )
    secrets: Annotated[list[EnvName], different] = Field(
        default=[],
        description="secrets of the CI system that the build mounts by their names: "
        "RUN --mount=type=secret,id=<name>",
    )


class Source(Model):
    """Where an image is built, and how it gets to an environment."""

    source: SourceRepository = Field(description="the service's own repository on GitHub")
    branch: Branch = Field("main", description="the branch that is built")
    ci: Ci = Field(description="where it is built")
    delivery: Delivery = Field(
        description="keel: the pushed tag is rolled at once; commit: CI commits the version"
    )
    build: Build = Field(
        Build.model_validate({}),
        description="how the image is made; a Dockerfile at the top unless set",
    )
    verify: Verify | None = Field(
        None,
        description="what the pipeline runs once the build is on the fast environment; what passed "
        "is tagged verified-<version>, and a promotion asks for that tag",
    )
    circleci_project: UUID | None = Field(None, description="the CircleCI project's id")
    github_ids: GithubIds | None = Field(
        None, description="needed where GitHub puts ids into its OIDC subject"
    )


class Image(Model):
    """An image that somebody else builds, at one version."""

    name: ImageName = Field(description="with its registry, such as docker.io/library/redis")
    version: ImageTag = Field(description="the tag, which people read")
    digest: Digest = Field(description="what runs, whatever becomes of the tag")


class Service(Process):
    """One deployable and its place in the clusters."""

    owner: str = Field(description="a key of `teams`")
    packaging: Packaging = Field(
        "kustomize", description="base and overlays, or a chart with values per environment"
    )
    ingress: bool = Field(False, description="reachable as <service>.<domain of the environment>")
    env: dict[EnvName, str] = Field(default={}, description="the same in every environment")
    config: dict[FileName, str] = Field(
        default={}, description="files mounted read-only at /etc/<service>"
    )
    secrets: Annotated[Secrets, ShortFor("env", list[Variable])] = Field(
        Secrets.model_validate({}),
        description="names of secrets, whose values people put into AWS Secrets Manager; a list "
        "is of environment variables",
    )
    aws: Rights | None = Field(
        None, description="what its pods may do in AWS, in each environment where it lives"
    )
    processes: dict[DnsLabel, FurtherProcess] = Field(
        default={}, description="further processes of the same image, each named <service>-<name>"
    )
    migrate: Annotated[Migrate, ShortFor("command", Command)] | None = Field(
        None,
        description="a command of each new image that has to succeed once, before any pod of it "
        "serves",
    )
    storage: dict[DnsLabel, Volume] = Field(
        default={},
        description="volumes by name: the service becomes a StatefulSet, with one pod unless "
        "replicas says otherwise, each with volumes of its own",
    )
    environments: Annotated[list[DnsLabel], Field(min_length=1), different] | None = Field(
        None, description="the stacks in which it lives; all of them unless set"
    )
    overrides: dict[DnsLabel, ServiceOverride] = Field(
        default={}, description="by stack, what differs there"
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
    """A service that is built by a pipeline of its own."""


class ForeignService(Service):
    """A service whose image somebody else builds: no pipeline, no repository of images."""

    image: Image = Field(
        description="what the fast environment runs; promoted from there as every version"
    )


AnyService = Annotated[
    Annotated[BuiltService, Tag(tag(BuiltService))]
    | Annotated[ForeignService, Tag(tag(ForeignService))],
    HasKey("image", ForeignService, BuiltService),
]


class Namespace(Model):
    """A Kubernetes namespace and the services that live in it."""

    services: dict[DnsLabel, AnyService] = Field(
        min_length=1, description="each has a name of its own in the whole file"
    )
    kinds: Annotated[list[AddedKind], different] = Field(
        default=[],
        description="kinds that Git may declare here beside those of every namespace, such as "
        "gateway.networking.k8s.io/HTTPRoute",
    )


class CircleCi(Model):
    """The CircleCI organization whose OIDC tokens are trusted."""

    organization: UUID = Field(description="its id")


class Catalogue(Model):
    """The whole of `services.yaml`."""

    teams: dict[DnsLabel, Team] = Field(min_length=1, description="who owns services")
    releasers: Group = Field(description="the SSO group whose members approve syncs of safe stacks")
    code_owners: GitTeam | None = Field(
        None,
        description="the releasers' team on the Git host, as organization/team: makes CODEOWNERS, "
        "by which they review what reaches safe environments",
    )
    circleci: CircleCi | None = Field(None, description="needed where a service has ci: circleci")
    namespaces: dict[DnsLabel, Namespace] = Field(
        min_length=1, description="each is a namespace in every cluster"
    )

    def entries(self) -> Iterator[tuple[str, str, Service]]:
        """Every service as (namespace, name, service), sorted by both names."""
        for namespace, group in sorted(self.namespaces.items()):
            for name, service in sorted(group.services.items()):
                yield namespace, name, service

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
        """The same with the services alone that live in `environment`."""
        living = {
            namespace: group.model_copy(
                update={
                    "services": {
                        name: service
                        for name, service in group.services.items()
                        if service.lives_in(environment)
                    }
                }
            )
            for namespace, group in self.namespaces.items()
        }
        return self.model_copy(update={"namespaces": living})
