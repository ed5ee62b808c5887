"""The GitOps repository as a map: which templates make which files, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import codeowners, context, layout, release_scripts
from gitops.context import Context
from gitops.file import File, Ownership
from gitops.git_objects import tree_id
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
    scripts = _scripts(told)
    told |= {"release_package": _package_id(scripts)}
    return {
        **_rendered("shared", "", told, Ownership.MANAGED),
        **_rendered("checks", "", told, Ownership.MANAGED),
        **{f"scripts/{name}": file for name, file in scripts.items()},
        **dict(_reviewers(settings, told)),
        **{path: file for service in told["services"] for path, file in _base(service, told)},
    }


def _scripts(told: Context) -> dict[str, File]:
    """The release scripts, by their path below scripts/."""
    texts = {**dict(release_scripts.package(told)), "platform.json": release_scripts.platform(told)}
    return {
        **_rendered("scripts", "", told, Ownership.MANAGED),
        **{name: File(text=text, ownership=Ownership.MANAGED) for name, text in texts.items()},
    }


def _package_id(scripts: dict[str, File]) -> str:
    """Git's name of scripts/release/, by which pipelines know it."""
    folder = "release/"
    return tree_id(
        {
            name.removeprefix(folder): file
            for name, file in scripts.items()
            if name.startswith(folder)
        }
    )


def environment(settings: Settings) -> dict[str, File]:
    """The files below `environments/<stack>/`, and the folders that releases render into."""
    told = context.environment(settings)
    home = f"environments/{settings.stack}/"
    return {
        **_rendered("environment", home, told, Ownership.MANAGED),
        **{
            path: file
            for service in told["services"]
            for path, file in _overlay(home, service, told)
        },
        **{path: file for service in told["services"] for path, file in _release(service, told)},
    }


def _reviewers(settings: Settings, told: Context) -> _Entries:
    text = codeowners.codeowners(settings, told["managed"])
    if text:
        yield codeowners.PATH, File(text=text, ownership=Ownership.MANAGED)


def _base(service: Context, told: Context) -> _Entries:
    """What never differs of a service, and the pipeline of its own repository."""
    told = told | {"service": service}
    base = f"base/{service['repository']}/"
    yield from _rendered(f"base/{service['packaging']}", base, told, Ownership.SEEDED).items()
    for name, text in service["config"].items():
        yield f"{base}config/{name}", File(text=text, ownership=Ownership.SEEDED)
    for name, file in _rendered(f"pipelines/{service['ci']}", "", told, Ownership.MANAGED).items():
        own = name.replace("release.yml", service["workflow"])
        yield f"{layout.pipeline(service['name'])}/{own}", file


def _overlay(home: str, service: Context, told: Context) -> _Entries:
    """What differs of a service in this environment, and the version that runs there."""
    told = told | {"service": service}
    place = f"{home}{service['repository']}/"
    yield from _rendered(f"overlay/{service['packaging']}", place, told, Ownership.SEEDED).items()
    tag = told["environment"]["name"] if service["follows_moving_tag"] else None
    name, text = version_file(service["packaging"], service["image"], tag)
    yield f"{place}version/{name}", File(text=text, ownership=Ownership.VERSION)


def _release(service: Context, told: Context) -> _Entries:
    """The folder of what runs, which Git keeps only with a file in it, where releases render."""
    if told["environment"]["rendered"]:
        place = layout.rendered(told["environment"]["name"], service["namespace"], service["name"])
        yield from _rendered("rendered", f"{place}/", told, Ownership.MANAGED).items()


def _rendered(folder: str, home: str, told: Context, ownership: Ownership) -> dict[str, File]:
    """The files that the templates in `folder` give, placed in `home`."""
    return {
        f"{home}{name}": File(text=text, ownership=ownership)
        for name, text in render_folder(folder, told)
    }
