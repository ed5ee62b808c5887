"""What a lab is made of."""

from __future__ import annotations

from lab.daemon import Daemon
from lab.daemons import (
    authenticator,
    aws,
    charts,
    cloud_controllers,
    control_plane,
    git,
    identity_provider,
    metrics,
    names,
    nodes,
    pods,
    registry,
    webhook_receiver,
)
from lab.site import Site
from lab.toolchain import Toolchain


def all_daemons(site: Site) -> tuple[Daemon, ...]:
    """Every daemon of the lab at `site`; nothing is started or written.

    Raises:
        MissingToolError: a program is not there yet.
        SettingsError: the stack files or the catalogue are wrong.
    """
    tools = Toolchain()
    shared = (
        aws.daemon(site),
        registry.daemon(site, tools),
        git.daemon(site, tools),
        charts.daemon(site, tools),
        authenticator.daemon(site),
        webhook_receiver.daemon(site),
        identity_provider.daemon(site),
        names.daemon(site),
    )
    clusters = [
        daemon
        for environment in site.environments
        for daemon in (
            *control_plane.daemons(site, environment, tools),
            nodes.daemon(site, environment, tools),
            pods.daemon(site, environment, tools),
            cloud_controllers.daemon(site, environment),
            metrics.daemon(site, environment),
        )
    ]
    return (*shared, *clusters)
