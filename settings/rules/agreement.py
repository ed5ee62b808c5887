"""Rules about what all stacks share: their files have to say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from settings.environment import Environment
from settings.files import stack_file
from settings.parsing import raw_value
from settings.problems import Problem


def registry_owner(
    environment: Environment, environments: Sequence[Environment]
) -> Iterator[Problem]:
    owner = environment.config.registry.owner
    owners = {e.config.registry.owner for e in environments}
    if owner not in {e.name for e in environments}:
        yield environment.problem(
            "registry.owner",
            owner,
            "is no stack: there is no such Pulumi.<stack>.yaml",
            f"name one of {', '.join(e.name for e in environments)}",
        )
    elif len(owners) > 1:
        yield environment.problem(
            "registry.owner",
            owner,
            f"all environments share one registry, but its owner is given as "
            f"{' and '.join(sorted(owners))}",
            "name the same owner in every stack file",
        )


SHARED: Mapping[str, str] = {
    "platform:gitops.url": "",
    "platform:gitops.branch": "main",
    "platform:registry.host": "",
}
"""What the files that all environments share are rendered from, with the default of each."""


def check(configs: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Differences in SHARED between the raw stack files, each reported with the owner's value.

    The stack that owns the registry decides; where it says nothing, its default counts.
    """
    for stack, config in sorted(configs.items()):
        owner = str(raw_value(config, "platform:registry.owner"))
        if owner == stack or owner not in configs:
            continue
        for path, default in SHARED.items():
            mine = raw_value(config, path)
            theirs = raw_value(configs[owner], path) or default
            if mine is not None and mine != theirs:
                yield Problem(
                    stack_file(stack),
                    path,
                    str(mine),
                    f"differs from {theirs or 'the default'} of {stack_file(owner)}, and all "
                    "stacks write the same shared files",
                    "write the same value in both files",
                )
