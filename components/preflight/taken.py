"""Names that somebody else's objects have already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pulumi_aws as aws

from components.preflight.asking import PreflightArgs, UnansweredError, ask
from settings.problems import Problem


def cluster(args: PreflightArgs) -> Iterator[Problem]:
    """The name of the new cluster."""
    name = args.names.cluster
    if args.cluster.existing or name not in (ask(aws.eks.get_clusters).names or ()):
        return
    if not _ours(args, ask(aws.eks.get_cluster, name=name).tags):
        yield args.problem(
            "organization",
            name,
            "and the stack's name are the name of a cluster that this program did not make",
            "choose another organization or stack, or use it by platform:cluster.existing",
        )


def repositories(args: PreflightArgs) -> Iterator[Problem]:
    """The names of the image repositories, in the stack that owns the registry."""
    if not args.repositories:
        return
    there = args.repositories.keys() & set(ask(aws.ecr.get_repositories).names or ())
    for name in sorted(there):
        if not _ours(args, ask(aws.ecr.get_repository, name=name).tags):
            yield Problem(
                "services.yaml",
                args.repositories[name],
                name,
                "is the name of an image repository that this program did not make",
                "choose another name, or import the repository into the stack",
            )


def issuers(args: PreflightArgs) -> Iterator[Problem]:
    """An account has one OpenID Connect provider for each URL."""
    for system, url in sorted(args.issuers.items()):
        try:
            found = ask(aws.iam.get_open_id_connect_provider, url=url)
        except UnansweredError as error:
            if "couldn't find resource" in str(error):  # in the words of the provider
                continue
            raise
        if not _ours(args, found.tags):
            yield args.problem(
                "ci.existing",
                url,
                "is the URL of an OpenID Connect provider that this program did not make",
                f"add {system} to the list",
            )


def _ours(args: PreflightArgs, tags: Mapping[str, str]) -> bool:
    """Whether an object carries the environment's tags: an earlier or a killed run made it."""
    return args.names.tags().items() <= dict(tags).items()
