"""What a lab is made of."""

from __future__ import annotations

from lab.part import Part
from lab.parts import (
    aws,
    charts,
    control_plane,
    door,
    git,
    inbox,
    load_balancer,
    nodes,
    people,
    pods,
    registry,
)
from lab.site import Site
from lab.toolchain import Toolchain


def all_parts(site: Site) -> tuple[Part, ...]:
    """Every part of the lab at `site`; nothing is started or written.

    Raises:
        MissingToolError: a program is not there yet.
        SettingsError: the stack files or the catalogue are wrong.
    """
    tools = Toolchain()
    shared = (
        aws.part(site),
        registry.part(site, tools),
        git.part(site, tools),
        charts.part(site, tools),
        door.part(site),
        inbox.part(site),
        people.part(site),
    )
    clusters = [
        part
        for environment in site.environments
        for part in (
            *control_plane.parts(site, environment, tools),
            nodes.part(site, environment, tools),
            pods.part(site, environment, tools),
            load_balancer.part(site, environment),
        )
    ]
    return (*shared, *clusters)
