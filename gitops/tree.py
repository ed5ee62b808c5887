"""The GitOps repository as a map: which templates make which files, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import context, release_scripts
from gitops.context import Context
from gitops.file import File, Ownership
from gitops.rendering import render_folder
from gitops.version import version_file
from settings import Settings

_Entries = Iterator[tuple[str, File]]


def scaffold(settings: Settings) -> dict[str, File]:
    """Everything that the settings' stack writes: the shared files and its own environment's."""
    return dict(sorted((shared(settings) | environment(settings)).items()))


def shared(settings: Settings) -> dict[str, File]:
    """The files that are the same whichever stack renders them."""
    told = context.shared(settings)
    return {
        **_rendered("shared", "", told, Ownership.MANAGED),
        **_rendered("checks", "", told, Ownership.MANAGED),
        **{f"scripts/{name}": file for name, file in _scripts(told).items()},
        **{path: file for service in told["services"] for path, file in _base(service, told)},
    }


def _scripts(told: Context) -> dict[str, File]:
    """The release scripts, by their path below scripts/."""
    texts = {**dict(release_scripts.package(told)), "platform.json": release_scripts.platform(told)}
    return {
        **_rendered("scripts", "", told, Ownership.MANAGED),
        **{name: File(text=text, ownership=Ownership.MANAGED) for name, text in texts.items()},
    }


def environment(settings: Settings) -> dict[str, File]:
    """The files below `environments/<stack>/`."""
    told = context.environment(settings)
    home = f"environments/{settings.stack}/"
    return {
        **_rendered("environment", home, told, Ownership.MANAGED),
        **{
            path: file
            for service in told["services"]
            for path, file in _overlay(home, service, told)
        },
    }


def _base(service: Context, told: Context) -> _Entries:
    """What never differs of a service, and the pipeline of its own repository."""
    told = told | {"service": service}
    base = f"base/{service['repository']}/"
    yield from _rendered(f"base/{service['packaging']}", base, told, Ownership.SEEDED).items()
    for name, text in service["config"].items():
        yield f"{base}config/{name}", File(text=text, ownership=Ownership.SEEDED)
    pipeline = f"pipelines/{service['name']}/"
    yield from _rendered(f"pipelines/{service['ci']}", pipeline, told, Ownership.MANAGED).items()


def _overlay(home: str, service: Context, told: Context) -> _Entries:
    """What differs of a service in this environment, and the version that runs there."""
    told = told | {"service": service}
    place = f"{home}{service['repository']}/"
    yield from _rendered(f"overlay/{service['packaging']}", place, told, Ownership.SEEDED).items()
    tag = told["environment"]["name"] if service["follows_moving_tag"] else None
    name, text = version_file(service["packaging"], service["image"], tag)
    yield f"{place}version/{name}", File(text=text, ownership=Ownership.VERSION)


def _rendered(folder: str, home: str, told: Context, ownership: Ownership) -> dict[str, File]:
    """The files that the templates in `folder` give, placed in `home`."""
    return {
        f"{home}{name}": File(text=text, ownership=ownership)
        for name, text in render_folder(folder, told)
    }
