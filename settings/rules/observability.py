"""Rules about alarms."""

from __future__ import annotations

from collections.abc import Iterator

from settings.environment import Environment
from settings.problems import Problem


def topic(environment: Environment) -> Iterator[Problem]:
    """CloudWatch tells topics of its own region and partition alone."""
    config = environment.config.observability
    if not config or not config.topic:
        return
    _, partition, _, region, *_ = config.topic.split(":")
    home = environment.aws_account
    if (partition, region) != (home.partition, home.region):
        yield environment.problem(
            "observability.topic",
            config.topic,
            f"is in {region} of {partition}, and alarms of {home.region} in {home.partition} "
            "tell no topic elsewhere",
            f"name a topic in {home.region}",
        )
