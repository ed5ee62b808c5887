"""Rules about how builds reach an environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from settings.catalogue import Catalogue
from settings.environment import Environment
from settings.problems import Problem

_ENVIRONMENT_NAME = re.compile(
    r"(?!(shared|y|n|yes|no|on|off|true|false|null)$)[a-z]([-a-z0-9]{0,30}[a-z0-9])?"
)


def environment_name(environment: Environment) -> Iterator[Problem]:
    if not _ENVIRONMENT_NAME.fullmatch(environment.name):
        yield Problem(
            environment.file,
            "",
            environment.name,
            "the stack's name is an image tag and a folder of the GitOps repository: it must be a "
            "DNS label of 32 characters at most, and neither `shared` nor a word of YAML",
            "choose another name for the stack and its file",
        )


def keel(environment: Environment, catalogue: Catalogue) -> Iterator[Problem]:
    wanted = environment.config.keel
    if wanted and not environment.speed.keel:
        yield environment.problem(
            "keel",
            wanted.schedule,
            f"Keel is not allowed where speed is {environment.speed.name}: it runs builds that "
            "nobody promoted",
            "remove the key platform:keel",
        )
    living = catalogue.of(environment.name)
    served = [name for _, name, _ in living.delivered_by("keel")]
    if served and not wanted and environment.speed.keel:
        yield environment.problem(
            "keel",
            "",
            f"is missing, and {', '.join(served)} rely on it (delivery: keel)",
            "add platform:keel with a schedule",
        )


def one_fast_environment(environments: Sequence[Environment]) -> Iterator[Problem]:
    fast = [environment for environment in environments if environment.speed.moving_tag]
    if not fast:
        yield environments[0].problem(
            "speed",
            environments[0].speed.name,
            "is the speed of every environment, and builds are delivered to a fast one",
            "make one of them fast",
        )
    for environment in fast[1:]:
        yield environment.problem(
            "speed",
            environment.speed.name,
            f"is the speed of {fast[0].name} too, and a build is delivered to one environment",
            "make one of them safe",
        )
