"""CODEOWNERS: who reviews a pull request to the GitOps repository, by what it touches. Pure.

Git hosts read it in folders of their own; Gitea and Forgejo read regular expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gitops import layout
from settings.catalogue import BuiltService
from settings.environment import Settings
from settings.git_url import parse_git_url

_WIDTH = 60
_READ_BY: Mapping[str, str] = {
    "codeberg.org": layout.CODEOWNERS_OF_GITEA,
    "gitea.com": layout.CODEOWNERS_OF_GITEA,
    "github.com": layout.CODEOWNERS_OF_GITHUB,
    "gitlab.com": layout.CODEOWNERS_OF_GITLAB,
}
"""The file that a public host reads. A host of one's own may be any of them."""

_Rule = tuple[str, list[str]]
"""A folder, the root being empty, and its owners."""


def codeowners(settings: Settings, header: str) -> dict[str, str]:
    """The text of each CODEOWNERS, by path; empty where the catalogue names no code owners."""
    releasers = settings.catalogue.code_owners
    if not releasers:
        return {}
    rules = list(_rules(settings, releasers))
    known = _READ_BY.get(parse_git_url(settings.config.gitops.url).host)
    return {
        path: "\n".join([f"# {header}", *lines, ""])
        for path, lines in {
            layout.CODEOWNERS_OF_GITEA: _as_expressions(rules),
            layout.CODEOWNERS_OF_GITHUB: _as_patterns(rules),
            layout.CODEOWNERS_OF_GITLAB: _as_patterns(rules),
        }.items()
        if known in (None, path)
    }


def _rules(settings: Settings, releasers: str) -> Iterator[_Rule]:
    """Everything that is not named after the first is the releasers' alone."""
    yield "", [releasers]
    for namespace, name, what in settings.catalogue.owned():
        team = settings.catalogue.teams[what.owner].github
        owners = [team, releasers] if team and team != releasers else [releasers]
        yield layout.base(namespace, name), owners
        for environment in settings.environments:
            if not environment.speed.rendered and what.lives_in(environment.name):
                overlay = layout.overlay(environment.name, namespace, name)
                yield overlay, owners
                if isinstance(what, BuiltService):
                    # Builds move it without a review.
                    yield f"{overlay}/{layout.VERSION}", []


def _as_patterns(rules: Iterable[_Rule]) -> list[str]:
    """Of GitHub and GitLab."""
    return [
        "# The last line that matches counts; one of the teams in it reviews.",
        *(_line(f"/{folder}/" if folder else "*", owners) for folder, owners in rules),
    ]


def _as_expressions(rules: Iterable[_Rule]) -> list[str]:
    """Of Gitea and Forgejo, which have no line without owners: builds need no pull request."""
    return [
        "# Every line that matches counts; all of its teams are asked for a review.",
        *(_line(f"{folder}/.*" if folder else ".*", owners) for folder, owners in rules if owners),
    ]


def _line(path: str, owners: list[str]) -> str:
    named = " ".join(f"@{owner}" for owner in owners)
    return f"{path:<{_WIDTH}} {named}".rstrip()
