"""Who may do what in Argo CD: the catalogue as the policy of `argocd-rbac-cm`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from settings import Settings

RELEASER = "role:releaser"

Rule = tuple[str, str, str, str]
"""A role, a kind of resource, an action and the object that it is allowed on."""


def rules(settings: Settings) -> Iterator[Rule]:
    """Every right that is granted; what is not granted is denied.

    Owners read their Applications and the logs, and sync them where the environment lets owners
    sync. Releasers read everything, and sync everything where it does not. Nobody may create,
    update, override, roll back or delete an Application, run an action or open a shell: Git and
    the program do that.
    """
    for namespace, name, service in settings.catalogue.entries():
        application = f"{namespace}/{name}"
        yield team_role(service.owner), "applications", "get", application
        yield team_role(service.owner), "logs", "get", application
        if settings.speed.owners_sync:
            yield team_role(service.owner), "applications", "sync", application
    for namespace in sorted(settings.catalogue.namespaces):
        yield RELEASER, "projects", "get", namespace
        yield RELEASER, "applications", "get", f"{namespace}/*"
        if not settings.speed.owners_sync:
            yield RELEASER, "applications", "sync", f"{namespace}/*"


def members(settings: Settings) -> Iterator[tuple[str, str]]:
    """Which group of the SSO provider has which role."""
    for name, team in sorted(settings.catalogue.teams.items()):
        yield team.group, team_role(name)
    yield settings.catalogue.releasers, RELEASER


def team_role(team: str) -> str:
    return f"role:team-{team}"


def policy(settings: Settings) -> str:
    """The rules and the members as the lines of `policy.csv`."""
    granted = (_line("p", *rule, "allow") for rule in rules(settings))
    grouped = (_line("g", *member) for member in members(settings))
    return "\n".join([*granted, *grouped, ""])


def _line(*values: str) -> str:
    """A line of CSV; groups may have commas and quotes in their names."""
    quoted = (f'"{_doubled(value)}"' if set(value) & set(',"') else value for value in values)
    return ", ".join(quoted)


def _doubled(value: str) -> str:
    return value.replace('"', '""')


def rbac(settings: Settings) -> dict[str, str]:
    """The data of `argocd-rbac-cm`."""
    return {
        "policy.csv": policy(settings),
        "policy.default": "",  # who is in no group sees nothing
        "policy.matchMode": "glob",
        "scopes": "[groups]",
    }
