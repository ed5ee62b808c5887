"""Rules about the nodes of an environment."""

from __future__ import annotations

from collections.abc import Iterator

from settings.environment import Environment
from settings.problems import Problem


def stopping(environment: Environment) -> Iterator[Problem]:
    if environment.speed.nodes_stop:
        return
    for number, group in enumerate(environment.config.cluster.node_groups):
        if group.schedule:
            yield environment.problem(
                f"cluster.nodeGroups[{number}].schedule",
                f"stop {group.schedule.stop}",
                f"would stop the nodes of an environment whose speed is {environment.speed.name}: "
                "its services would be away",
                "remove schedule, or set it where speed is fast",
            )
