"""CODEOWNERS: who reviews a pull request to the GitOps repository, by what it touches. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import layout
from settings import Settings
from settings.catalogue import BuiltService

_WIDTH = 60


def codeowners(settings: Settings, header: str) -> str | None:
    """The text of CODEOWNERS; None where the catalogue names no team of code owners."""
    releasers = settings.catalogue.code_owners
    if not releasers:
        return None
    lines = (_line(path, owners) for path, owners in _rules(settings, releasers))
    explained = (
        f"# {header}",
        "# The last line that matches counts; one of the teams in it reviews.",
    )
    return "\n".join([*explained, *lines, ""])


def _rules(settings: Settings, releasers: str) -> Iterator[tuple[str, list[str]]]:
    """A path and its owners; everything that is not named below is the releasers'."""
    yield "*", [releasers]
    for namespace, name, what in settings.catalogue.owned():
        team = settings.catalogue.teams[what.owner].github
        owners = [team, releasers] if team and team != releasers else [releasers]
        yield f"/{layout.base(namespace, name)}/", owners
        for environment in settings.environments:
            overlay = layout.overlay(environment.name, namespace, name)
            if environment.speed.rendered or not what.lives_in(environment.name):
                continue
            yield f"/{overlay}/", owners
            if isinstance(what, BuiltService):
                # Builds move it without a review.
                yield f"/{overlay}/{layout.VERSION}/", []


def _line(path: str, owners: list[str]) -> str:
    named = " ".join(f"@{owner}" for owner in owners)
    return f"{path:<{_WIDTH}} {named}".rstrip()
