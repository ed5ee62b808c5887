"""Who may do what in Argo CD: the catalogue as the policy of `argocd-rbac-cm`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from components.argocd.application_manifests import project_name
from gitops.go_yaml import go_yaml
from settings.catalogue import Catalogue

RELEASER = "role:releaser"

Rule = tuple[str, str, str, str]
"""A role, a kind of resource, an action and the object that it is allowed on."""


def rules(catalogue: Catalogue, *, owners_sync: bool) -> Iterator[Rule]:
    """Every right that is granted; what is not granted is denied.

    Owners read their Applications and the logs, and sync them where `owners_sync` says so.
    Releasers read everything, and sync everything where it does not. No role may create, update,
    override, roll back or delete an Application, run an action or open a shell: Git and the
    program do that.
    """
    for namespace, name, what in catalogue.owned():
        application = f"{project_name(namespace, name, what)}/{name}"
        yield team_role(what.owner), "applications", "get", application
        yield team_role(what.owner), "logs", "get", application
        if owners_sync:
            yield team_role(what.owner), "applications", "sync", application
    projects = {project_name(*package) for package in catalogue.packages()}
    for project in sorted({*catalogue.namespaces, *projects}):
        yield RELEASER, "projects", "get", project
        yield RELEASER, "applications", "get", f"{project}/*"
        if not owners_sync:
            yield RELEASER, "applications", "sync", f"{project}/*"


def members(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Which group of the SSO provider has which role."""
    for name, team in sorted(catalogue.teams.items()):
        yield team.group, team_role(name)
    yield catalogue.releasers, RELEASER


def team_role(team: str) -> str:
    return f"role:team-{team}"


def policy(catalogue: Catalogue, *, owners_sync: bool) -> str:
    """The rules and the members as the lines of `policy.csv`."""
    granted = (_line("p", *rule, "allow") for rule in rules(catalogue, owners_sync=owners_sync))
    grouped = (_line("g", *member) for member in members(catalogue))
    return "\n".join([*granted, *grouped, ""])


def _line(*values: str) -> str:
    """A line of CSV; groups may have commas and quotes in their names."""
    quoted = (f'"{_doubled(value)}"' if set(value) & set(',"') else value for value in values)
    return ", ".join(quoted)


def _doubled(value: str) -> str:
    return value.replace('"', '""')


def rbac(catalogue: Catalogue, *, owners_sync: bool, groups_claim: str) -> dict[str, str]:
    """The data of `argocd-rbac-cm`; `groups_claim` of an ID token has a person's groups."""
    return {
        "policy.csv": policy(catalogue, owners_sync=owners_sync),
        "policy.default": "",  # a person without a group sees nothing
        "policy.matchMode": "glob",
        "scopes": go_yaml([groups_claim], one_line=True).strip(),
    }
