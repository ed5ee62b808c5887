"""Who runs the program, and who may enter the cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi_aws as aws

from components.preflight.asking import PreflightArgs, ask
from settings.cluster import AccessConfig
from settings.problems import Problem


def caller(args: PreflightArgs) -> Iterator[Problem]:
    """Whoever runs Pulumi makes objects in the new cluster, and access entries alone open it."""
    if args.cluster.existing:
        return
    arn = ask(aws.get_caller_identity).arn
    if not any(is_principal(arn, one) for one in args.cluster.access.platform):
        yield args.problem(
            "cluster.access.platform",
            arn,
            "does not list who runs Pulumi now, and the cluster would refuse every object",
            "add the role or user, or run Pulumi as one that is listed",
        )


def is_principal(caller: str, principal: str) -> bool:
    """Whether a caller is that role or user. A session names its role without the role's path."""
    if caller == principal:
        return True
    account, _, session = caller.split(":", 4)[4].partition(":")
    kind, _, rest = session.partition("/")
    role = rest.partition("/")[0]
    owner, _, path = principal.split(":", 4)[4].partition(":")
    named = (owner, path.partition("/")[0], path.rpartition("/")[2])
    return kind == "assumed-role" and named == (account, "role", role)


def principals(args: PreflightArgs) -> Iterator[Problem]:
    """EKS takes an access entry of this account only for a role or user that exists."""
    if args.cluster.existing:
        return
    ours = [(path, arn) for path, arn in _listed(args.cluster.access) if _of(args, arn)]
    roles = ask(aws.iam.get_roles).arns if any(":role/" in arn for _, arn in ours) else ()
    users = ask(aws.iam.get_users).arns if any(":user/" in arn for _, arn in ours) else ()
    known = {*(roles or ()), *(users or ())}
    for path, arn in ours:
        if arn not in known:
            yield args.problem(
                path,
                arn,
                "does not exist, and EKS refuses an access entry for it",
                "create it first, or correct the ARN with its path",
            )


def _of(args: PreflightArgs, arn: str) -> bool:
    """Whether a principal is of the environment's account: of others AWS tells nothing."""
    return arn.startswith(args.account.iam_arn(""))


def _listed(access: AccessConfig) -> Iterator[tuple[str, str]]:
    """Each principal with its path in the stack file."""
    lists = {"platform": access.platform, "readOnly": access.read_only}
    lists |= {f"teams.{team}": members for team, members in access.teams.items()}
    for key, members in lists.items():
        for index, arn in enumerate(members):
            yield f"cluster.access.{key}[{index}]", arn
