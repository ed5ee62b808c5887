"""The whole program under the recording engine, as `pulumi up` would run it."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import yaml

from settings.environment import Settings
from settings.loading import load_files
from tests.unit.recording import PROJECT, Answer, Recording, as_texts, record


def record_program(
    stack: str,
    root: Path,
    program: Path,
    *,
    preview: bool = False,
    answers: Mapping[str, Answer] | None = None,
) -> Recording:
    """Run the entry point `program` for `stack` with the configuration files in `root`.

    `answers` are what AWS says beside what `account` does.
    """
    raw = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    settings = load_files(stack, root)
    urls = {
        service: f"{settings.registry_host}/{namespace}/{service}"
        for namespace, service, _ in settings.catalogue.entries()
    }
    owner = settings.registry_owner.name
    return record(
        lambda: runpy.run_path(str(program)) and None,
        stack=stack,
        preview=preview,
        config=as_texts(raw),
        stack_outputs={f"organization/{PROJECT}/{owner}": {"repositories": urls}},
        root=root,
        answers={**account(settings), **(answers or {})},
    )


def account(settings: Settings) -> dict[str, Answer]:
    """AWS knows whoever is named, the first administrator runs the program, and the OpenID Connect
    providers are the environment's own."""
    access = settings.config.cluster.access
    named = [*access.platform, *access.read_only, *chain(*access.teams.values())]
    return {
        "aws:index/getCallerIdentity:getCallerIdentity": {"arn": access.platform[0]},
        "aws:iam/getRoles:getRoles": {"arns": named},
        "aws:iam/getUsers:getUsers": {"arns": named},
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {
            "arn": settings.environment.aws_account.iam_arn("oidc-provider/example"),
            "tags": settings.environment.names.tags(),
        },
    }
